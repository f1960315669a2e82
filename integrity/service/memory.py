"""Whether the store still is the one that the records were written with.

Every record names the hash of the one before it. A store that is new beside old records, or older
than the last of them, has lost what it knew of the chains: a head that was cut could then go
unseen, so it is said. Pure.
"""

from __future__ import annotations

import hashlib

from integrity.errors import UsageError
from integrity.record import decode
from integrity.state import Checkpoint, StoredRecord


def sha256_of(document: bytes) -> str:
    """The name that a record's successor gives it."""
    return hashlib.sha256(document).hexdigest()


def lost_memory(checkpoint: Checkpoint | None, newest: StoredRecord | None) -> str:
    """Why the checkpoint is not the one of the newest record, in a sentence; empty where it is.

    A record whose tick died, or lost to another one, before it was committed is no contradiction:
    its predecessor is the checkpoint's record, or that record's own.
    """
    if newest is None:
        return ""
    known = None if checkpoint is None else checkpoint.record_sha256
    if sha256_of(newest.document) == known:
        return ""
    try:
        previous = decode(newest.document).run.previous_sha256
    except UsageError as error:
        return f"the newest record {newest.uri} cannot be read: {error}"
    if previous == known or (checkpoint and previous == checkpoint.previous_record_sha256):
        return ""
    if checkpoint is None:
        return f"the store knows nothing of this trail, though there are records: {newest.uri}"
    return (
        f"the store's last record is {checkpoint.record_uri}, but {newest.uri} was written after "
        "another one: the store is older than the records"
    )
