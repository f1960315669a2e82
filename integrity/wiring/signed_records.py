"""A store of records that lays a signature beside each; the key is opened when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from integrity.errors import AccessError, IntegrityError
from integrity.service.ports import RecordStore
from integrity.state import StoredRecord

if TYPE_CHECKING:
    from integrity.evidence.signature import Signer


class _Attaching(RecordStore, Protocol):
    def attach(self, trail_arn: str, started_at: datetime, run_id: str, signature: bytes) -> None:
        """Lay a signature beside a record, if none lies there."""


class SignedRecords:
    """Records as the store beneath keeps them. One that cannot be signed is kept all the same."""

    def __init__(
        self,
        store: _Attaching,
        open_signer: Callable[[], Signer],
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._open_signer, self._clock = store, open_signer, clock

    @cached_property
    def _signer(self) -> Signer:
        return self._open_signer()

    def write(self, trail_arn: str, started_at: datetime, run_id: str, document: bytes) -> str:
        """Keep a record and its signature. Raises AccessError, also where it is kept unsigned."""
        from integrity.evidence.signature import sign_document

        uri = self._store.write(trail_arn, started_at, run_id, document)
        try:
            signature = sign_document(document, self._signer, self._clock())
            self._store.attach(trail_arn, started_at, run_id, signature)
        except IntegrityError as error:
            raise AccessError(f"the record {uri} is kept and not signed: {error}") from error
        return uri

    def write_drill(
        self, trail_arn: str, started_at: datetime, drill_id: str, document: bytes
    ) -> str:
        """How a drill ended, which is no record and is not signed."""
        return self._store.write_drill(trail_arn, started_at, drill_id, document)

    def read(self, trail_arn: str, started_at: datetime, run_id: str) -> StoredRecord | None:
        """The record of that run."""
        return self._store.read(trail_arn, started_at, run_id)

    def newest(self, trail_arn: str) -> StoredRecord | None:
        """The newest record."""
        return self._store.newest(trail_arn)
