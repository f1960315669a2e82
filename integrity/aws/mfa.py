"""A code of a second factor is asked for once, and not by every process.

botocore forgets the credentials that it had for a code with the process in which it was typed. The
AWS CLI keeps them in a folder until they expire. With the same folder, whoever was asked just now
is not asked again, and neither is one process after the other for a code that counts only once.
(AWS: Using an IAM role in the AWS CLI, cached credentials.)
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.session import Session
from botocore.utils import JSONFileCache

_FOLDER = (".aws", "cli", "cache")


class _Kept(JSONFileCache):
    """The CLI's folder. Where nothing can be written, each process asks."""

    def __setitem__(self, key: str, value: Any) -> None:
        with suppress(OSError):
            super().__setitem__(key, value)


def keep_sessions(session: Session) -> None:
    """Keep what a session gets for a role where any profile needs a code, as the AWS CLI does."""
    profiles: Mapping[str, Mapping[str, Any]] = session.full_config.get("profiles", {})
    if any("mfa_serial" in profile for profile in profiles.values()):
        provider = session.get_component("credential_provider").get_provider("assume-role")
        provider.cache = _Kept(str(Path.home().joinpath(*_FOLDER)))
