"""Examines a configuration: opens everything that it names, as the service would, and tries it.

The order is that in which trouble is best mended: who asks, where is kept, who is told, and then
each trail. What one check needs of another that failed is skipped, and says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from integrity.aws.session import AwsRecipe
from integrity.chain.model import TimeWindow, Trail
from integrity.chain.times import DAY, day_of
from integrity.doctor.asking import ATTEMPTS, Asker
from integrity.doctor.bucket import (
    BucketView,
    Encryption,
    Sample,
    examine_listing,
    examine_objects,
    examine_rules,
)
from integrity.doctor.check import Check, Fault, misconfigured, skipped
from integrity.doctor.forecast import Forecast, Watching, forecast
from integrity.doctor.identity import examine_caller, examine_role
from integrity.doctor.keeping import (
    check_place_of_records,
    examine_place,
    examine_records,
    examine_table,
)
from integrity.doctor.sample import ListedDay, list_day
from integrity.doctor.sample import Place as Folder
from integrity.doctor.signing import examine_kms_key, try_signer
from integrity.doctor.trail import (
    Found,
    examine_estate,
    examine_history,
    examine_keys,
    examine_statuses,
    examine_trail,
)
from integrity.doctor.versions import examine_versions
from integrity.errors import UsageError
from integrity.sources.buckets import Buckets
from integrity.sources.patience import Patience
from integrity.stores.places import named_bucket, named_table
from integrity.stores.trials import try_records_folder, try_state_file
from integrity.structs import replace
from integrity.verify.folders import find_folders
from integrity.verify.job import Job
from integrity.verify.ports import Untold
from integrity.verify.tools import Tools
from integrity.wiring.configuration import access_of, claim_of
from integrity.wiring.connection import Connection
from integrity.wiring.signing import KMS, open_kms, open_signer
from integrity.wiring.telling import examine_telling
from integrity.wiring.timetable import Timetable

if TYPE_CHECKING:
    from integrity.aws.roles import Role
    from integrity.aws.session import Aws
    from integrity.config.model import Config, TrailTable

_AT_ONCE = 16
_UNTRIED = "nothing of it could be tried: see what failed before"
Examined = Check | Forecast


def examine(config: Config, clock: Callable[[], datetime], *, sends: bool) -> Iterator[Examined]:
    """Every check, as it is made, and a forecast for each trail that can be listed.

    With `sends` each destination gets a message that is marked as a test. Raises UsageError where
    there are no credentials.
    """
    aws = AwsRecipe(attempts=ATTEMPTS).open()
    asker = yield from examine_caller(aws, clock)
    yield from _examine_disk(config, aws, clock())
    if asker is None:
        yield skipped("everything else", "AWS", _UNTRIED, fault=Fault.ACCESS)
        return
    now = clock()
    if named_table(config.state.place):
        yield from examine_table(asker, config.state.place, now)
    if named_bucket(config.records.place):
        records = config.records
        yield from examine_records(asker, records.place, records.kms_key_id, now)
    if (key := config.records.sign or "").startswith(KMS):
        name = key.removeprefix(KMS)
        yield from examine_kms_key(asker, open_kms(name, lambda: aws), name, now)
    yield from examine_telling(config, asker, now, sends=sends)
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        for table in config.trails:
            yield from _Examination(table, config, asker, now, executor).run()


def _examine_disk(config: Config, aws: Aws, now: datetime) -> Iterator[Check]:
    state, records, key = config.state.place, config.records.place, config.records.sign
    if not named_table(state):
        yield from examine_place("state", state, lambda: try_state_file(Path(state)))
    if not named_bucket(records):
        yield from examine_place("records", records, lambda: try_records_folder(Path(records)))
    if key is not None and not key.startswith(KMS):
        signed = partial(_try_key, key, aws, now)
        yield from examine_place("records.sign", key, signed)


def _try_key(file: str, aws: Aws, now: datetime) -> str:
    return try_signer(open_signer(file, os.environ, lambda: aws), now)


class _Examination:
    """One trail of the configuration."""

    def __init__(
        self, table: TrailTable, config: Config, asker: Asker, now: datetime, executor: Executor
    ) -> None:
        self._table, self._config, self._asker = table, config, asker
        self._now, self._executor = now, executor
        self._access = access_of(table, config)

    def run(self) -> Iterator[Examined]:
        access, arn = self._access, self._table.trail_arn
        asker = yield from self._as(access.role, self._asker)
        reader = asker
        if access.bucket_role not in (None, access.role):
            reader = yield from self._as(access.bucket_role, self._asker)
        found = None
        if asker is not None:
            found = yield from examine_trail(asker, claim_of(self._table))
        if asker is None or found is None:
            yield skipped("the trail", arn, _UNTRIED, fault=Fault.ACCESS)
            return
        yield from examine_estate(asker, found.trail)
        yield examine_history(asker, found.trail)
        connection = yield from self._connect(asker, reader)
        places: list[Folder] = []
        if reader is None:
            yield skipped("the bucket", found.trail.bucket, _UNTRIED, fault=Fault.ACCESS)
        else:
            places = yield from self._bucket(reader, found, connection)
        yield from self._regions(asker, found.trail, places, connection)

    def _as(self, role: Role | None, asker: Asker) -> Generator[Check, None, Asker | None]:
        if role is None:
            return asker
        recipe = replace(self._access.recipe(role), attempts=ATTEMPTS)
        return (yield from examine_role(asker, role, recipe))

    def _connect(self, asker: Asker, reader: Asker | None) -> Generator[Check, None, Connection]:
        """As a tick connects; whoever stands in for keys and cannot is left out, and told."""
        access = self._access
        if access.keys_role is not None:
            stand_in = yield from self._as(access.keys_role, self._asker)
            if stand_in is None:
                access = replace(access, keys_role=None)
        bucket_aws = asker.aws if reader is None else reader.aws
        try:
            return Connection(access, asker.aws, bucket_aws, self._now)
        except UsageError as error:
            file = str(access.keys_file)
            yield misconfigured("keys_file", file, str(error), "`integrity keys` writes one")
            return Connection(replace(access, keys_file=None), asker.aws, bucket_aws, self._now)

    def _bucket(
        self, reader: Asker, found: Found, connection: Connection
    ) -> Generator[Examined, None, list[Folder]]:
        trail, table = found.trail, self._table
        owner = table.expected_bucket_owner
        records = self._config.records
        if not records.same_bucket:
            yield from check_place_of_records(records.place, trail.bucket)
        bucket = Buckets(reader.aws, owner, Patience(2, 0.1, 1.0)).open(trail.bucket)
        view = BucketView(reader, trail, bucket, owner, found.kms_key_arn)
        is_listed = yield from examine_listing(view)
        objects, _, rules = connection.open_sources()
        if rules is not None:
            yield from examine_rules(view, rules, table.retention_days)
        places = self._folders(trail, connection) if is_listed else []
        today = day_of(self._now)
        listed = list_day(objects, places, today - DAY, self._executor)
        keys = _keys(listed) or _keys(list_day(objects, places, today, self._executor))
        sample = Sample(keys)
        yield from examine_objects(view, sample, is_listed=is_listed)
        yield from examine_versions(view, sample)
        yield self._forecast(found, listed, len(places), sample)
        return places

    def _forecast(
        self, found: Found, listed: tuple[ListedDay, ...], chains: int, sample: Sample
    ) -> Examined:
        """The bill, once there is a whole day to reckon from."""
        lies = sample.encryption or Encryption(by_kms=bool(found.kms_key_arn))
        expected = forecast(
            found.trail.arn,
            f"{day_of(self._now) - DAY:%Y-%m-%d}",
            [one.day for one in listed] if _keys(listed) else [],
            chains,
            self._watching(),
            by_kms=lies.by_kms,
            bucket_key=lies.bucket_key,
        )
        why = "no whole day lies there yet"
        return expected or skipped("requests of a month", found.trail.bucket, why)

    def _folders(self, trail: Trail, connection: Connection) -> list[Folder]:
        """The chains that the bucket shows, as a tick finds them."""
        table, now = self._table, self._now
        objects, keys, rules = connection.open_sources()
        job = Job(
            trail=trail,
            window=TimeWindow(now - DAY, now),
            account_ids=table.account_ids or None,
            source_regions=table.source_regions or None,
            ignored=table.ignore,
        )
        tools = Tools(objects, keys, rules, self._executor, now, Untold(), Event())
        places = find_folders(job, tools).found.places
        return [
            Folder(root, account_id, region)
            for (account_id, region), roots in sorted(places.items())
            for root in roots
        ]

    def _regions(
        self, asker: Asker, trail: Trail, places: list[Folder], connection: Connection
    ) -> Iterator[Check]:
        own = {one.region for one in places if one.account_id == trail.account_id}
        yield from examine_statuses(asker, trail, own, self._executor)
        _, keys, _ = connection.open_sources()
        regions = {one.region for one in places} or {trail.home_region}
        window = TimeWindow(self._now - DAY, self._now)
        yield from examine_keys(keys, asker, regions, window, self._executor)

    def _watching(self) -> Watching:
        service = self._config.service
        return Watching(
            watch_days=service.watch_days,
            reprove_days=service.reprove_days,
            overlap=service.overlap,
            ticks_a_day=Timetable(service).ticks_a_day(self._now),
        )


def _keys(listed: tuple[ListedDay, ...]) -> dict[str, str]:
    """A digest file and a log file, of whichever chain has them."""
    found = {
        "digest file": next((one.digest_key for one in listed if one.digest_key), ""),
        "log file": next((one.log_key for one in listed if one.log_key), ""),
    }
    return {kind: key for kind, key in found.items() if key}
