"""What is said of an object that cannot be read, or was not read whole: archived, hidden, cut.

Decided from what a listing shows of it and what came of asking for it. Trouble is never evidence of
tampering; but a PUT into an archive hides content as an edit does, and shows in LastModified, which
lifecycle transitions keep.
(AWS: Amazon S3 storage classes; GetObject, InvalidObjectState; Restoring an archived object.)
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from integrity.chain.model import ChainKind, Fetched, Listed
from integrity.chain.names import DigestName

ARCHIVED = "archived"
"""How the detail of an archived object begins. Lifecycle rules archive whole days together."""

EXPIRED_CREDENTIALS = "the credentials have expired"
"""How the detail begins where it is not the object that is the matter."""

OUTSIDE = "it lies outside of the copy"
"""How the detail begins of what a copy cannot hold: of a whole bucket, many objects."""

REWRITTEN = "rewritten after delivery"

_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_ARCHIVED_BY_THEN = timedelta(days=30)


def archived(storage: str) -> str:
    """The detail of an object in an archive, `storage` being its class or tier."""
    return (
        f"{ARCHIVED} (storage class {storage}): restore it with `aws s3api restore-object`, then "
        "try again"
    )


def is_archived(listed: Listed) -> bool:
    """Whether a listing shows that a GET is in vain. Glacier Instant Retrieval can be read."""
    return listed.storage_class in _ARCHIVES and not listed.restored


def is_rewritten(name: DigestName, listed: Listed) -> bool:
    """Whether an archived digest file was written long after CloudTrail delivered it."""
    standard = name.chain.kind is ChainKind.STANDARD
    return standard and listed.last_modified > name.end + _ARCHIVED_BY_THEN


def cut_short(listed: Listed, fetched: Fetched[Any]) -> str:
    """A detail where other bytes came than lie there, of the same object; otherwise "".

    An edit shows its own size in the listing; somebody between S3 and us does not.
    """
    if listed.size == fetched.size or listed.last_modified != fetched.last_modified:
        return ""
    return f"cut short: {fetched.size} of {listed.size} bytes came, twice; try again later"
