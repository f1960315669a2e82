"""Looks at a listing before trouble is taken for tampering, or an archive for mere retention.

What it says is decided in `chain.trouble`; this asks for what has to be known.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from integrity.chain.model import Fetched, Listed, S3Location, Unreachable
from integrity.chain.names import DigestName
from integrity.chain.trouble import (
    ARCHIVED,
    REWRITTEN,
    archived,
    cut_short,
    is_archived,
    is_rewritten,
)
from integrity.verify.ports import ObjectSource

_FEW = 1000


def in_archive(listed: Listed | None) -> Unreachable | None:
    """The answer for what need not be asked for: a listing showed that it is archived."""
    if listed is None or not is_archived(listed):
        return None
    return Unreachable(listed.location, archived(listed.storage_class))


def digest_trouble(name: DigestName, listed: Listed | None, answer: Unreachable) -> str:
    """The detail of a digest file that could not be read."""
    if listed is None or not answer.detail.startswith(ARCHIVED):
        return answer.detail
    if is_rewritten(name, listed):
        return f"{answer.detail}; {REWRITTEN}"
    return answer.detail


def not_whole(objects: ObjectSource, location: S3Location, fetched: Fetched[Any]) -> str:
    """A detail where what came is not what lies there, as the listing shows it now."""
    for listed in islice(objects.list_objects(location.bucket, location.key), _FEW):
        if isinstance(listed, Listed) and listed.location == location:
            return cut_short(listed, fetched)
    return ""
