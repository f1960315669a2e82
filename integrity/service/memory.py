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
    its predecessor is the checkpoint's record, or that record's own. Nor is one of a time that the
    checkpoint knows already: nothing was learnt by it that the store does not hold.
    """
    if newest is None:
        return ""
    known = None if checkpoint is None else checkpoint.record_sha256
    if sha256_of(newest.document) == known:
        return ""
    try:
        run = decode(newest.document)
    except UsageError as error:
        return f"the newest record {newest.uri} cannot be read: {error}"
    if checkpoint is None:
        if run.run.previous_sha256 is None:
            return ""
        return f"the store knows nothing of this trail, though there are records: {newest.uri}"
    before = (checkpoint.record_sha256, checkpoint.previous_record_sha256)
    if run.run.previous_sha256 in before or run.requested.end <= checkpoint.attempted:
        return ""
    return (
        f"the store's last record is {checkpoint.record_uri}, but {newest.uri} was written after "
        "another one: the store is older than the records"
    )
