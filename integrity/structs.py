"""How a struct is changed: a new one, with some fields of its own. It decides nothing.

It is `msgspec.structs.replace`, shown to the type checker as the one of `dataclasses`. A checker
lets the former take any field and any value; of the latter it knows the fields, of structs as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace
else:
    from msgspec.structs import replace

__all__ = ["replace"]
