"""A person's word on an open incident, kept beside what ticks keep, and never over it.

It is committed as a tick commits: on the version that was read, or not at all. Where a tick or
another person was faster, it is given again, on what they left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from logging import getLogger

from integrity.chain.times import format_instant
from integrity.errors import AccessError
from integrity.incidents.acknowledged import acknowledge, named
from integrity.record import Acknowledgement
from integrity.service.ports import StateStore
from integrity.state import Commit, ConflictError, Incident

_TRIES = 5
_RESOLVED_LATELY = timedelta(days=400)

_log = getLogger(__name__)


def keep_acknowledgement(
    store: StateStore, trail_arns: Sequence[str], start: str, given: Acknowledgement
) -> Incident:
    """The incident of these trails whose id begins with `start`, acknowledged.

    Raises UsageError where no open one does, or several do; AccessError as the store does, and
    where others were faster every time.
    """
    since = given.at - _RESOLVED_LATELY
    for _ in range(_TRIES):
        incident = named(
            (one for arn in trail_arns for one in store.list_incidents(arn, since=since)), start
        )
        state = store.load(incident.trail_arn)
        if state.checkpoint is None or incident not in state.incidents:
            continue  # a tick has ended in between
        changed = acknowledge(incident, given)
        commit = Commit(
            trail_arn=incident.trail_arn,
            version=state.version,
            checkpoint=state.checkpoint,
            incidents=(changed,),
            letters=(),
            run=None,
        )
        try:
            store.commit(commit)
        except ConflictError:
            continue
        _log.info(
            "acknowledged",
            extra={
                "trail": changed.trail_arn,
                "incident": changed.id,
                "by": given.by,
                "reason": given.reason,
                "until": format_instant(given.until),
            },
        )
        return changed
    raise AccessError(f"others changed the state {_TRIES} times meanwhile: nothing was kept")
