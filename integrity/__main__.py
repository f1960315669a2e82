"""`python -m integrity`: the same as the command `integrity`."""

from __future__ import annotations

from integrity.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
