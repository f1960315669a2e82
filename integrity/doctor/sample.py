"""One day of the chains that the bucket shows, listed: what the bill and the trials start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from datetime import datetime
from itertools import islice

from msgspec import Struct

from integrity.chain.model import Listed, Root, Unreachable
from integrity.chain.names import digest_folder, is_marker, log_folder, parse_digest, parse_log
from integrity.chain.times import day_folder
from integrity.doctor.forecast import ChainDay
from integrity.verify.ports import ObjectSource

MOST_CHAINS = 40
"""So many are listed; the others are taken to be like them."""

_MOST_OBJECTS = 50_000


class Place(Struct, frozen=True):
    """An account's region below a root."""

    root: Root
    account_id: str
    region: str


class ListedDay(Struct, frozen=True):
    """A day of one place, and the key of one file of each kind, "" where there is none."""

    day: ChainDay
    digest_key: str
    log_key: str


def list_day(
    objects: ObjectSource, places: Iterable[Place], day: datetime, executor: Executor
) -> tuple[ListedDay, ...]:
    """The day of the first places. A folder that does not answer counts as empty."""
    chosen = list(islice(places, MOST_CHAINS))
    return tuple(executor.map(lambda place: _list(objects, place, day), chosen))


def _list(objects: ObjectSource, place: Place, day: datetime) -> ListedDay:
    root, about = place.root, (place.account_id, place.region)
    digests = list(_files(objects, root, digest_folder(root, *about) + day_folder(day)))
    logs = list(_files(objects, root, log_folder(root, *about) + day_folder(day)))
    own = [one for one in digests if parse_digest(one.location)]
    files = [one for one in logs if parse_log(one.location)]
    return ListedDay(
        ChainDay(*about, len(digests), len(logs), sum(one.size for one in (*digests, *logs))),
        own[0].location.key if own else "",
        files[0].location.key if files else "",
    )


def _files(objects: ObjectSource, root: Root, folder: str) -> Iterator[Listed]:
    for one in islice(objects.list_objects(root.bucket, folder), _MOST_OBJECTS):
        if not isinstance(one, Unreachable) and not is_marker(one.location.key, one.size):
            yield one
