"""AWS for one trail or an account's: finds its trails and verifies them. It holds no judgement.

What a command waits for is asked beside, ahead of its turn, and loaded meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from logging import getLogger
from threading import Lock
from typing import TYPE_CHECKING

from msgspec import Struct

from integrity.chain.model import (
    KeysUnavailable,
    PublicKey,
    S3Location,
    StatusUnavailable,
    TimeWindow,
    Trail,
)
from integrity.chain.names import LogName
from integrity.errors import AccessError, UsageError
from integrity.structs import replace
from integrity.verify.claim import Claim, MeantTrail, with_neighbours
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import KeySource, OpenSources, Progress, Slowdowns, Witnesses
from integrity.wiring.access import Access
from integrity.wiring.threads import share_heaps, take_long_turns

if TYPE_CHECKING:
    from integrity.aws.session import Aws, CallerIdentity
    from integrity.sources.claimed import TrailArn
    from integrity.sources.event_history import EventHistory
    from integrity.sources.s3 import S3Source
    from integrity.sources.versions import ObjectVersions
    from integrity.verify.forecast import Forecast
    from integrity.verify.resume import Keeping
    from integrity.verify.run import Sources, Verification
    from integrity.verify.voucher import Vouched

_log = getLogger(__name__)
_BESIDE = 4  # threads for what is asked while something else is waited for


class TrailListing(Struct, frozen=True, kw_only=True):
    """A trail of the account, and what AWS says of it now.

    `logging` is None where nobody was allowed to say; `detail` says what could not be asked.
    """

    trail: Trail
    logging: bool | None
    detail: str = ""


def connect(access: Access, *, now: datetime, slowdowns: Slowdowns | None = None) -> Connection:
    """Find the credentials and whoever else answers for public keys.

    `slowdowns` join this process's pace to that of others. Raises UsageError where there are no
    credentials, where a role refuses or where the file of keys is not one, and AccessError where
    STS does not answer.
    """
    share_heaps()
    take_long_turns()
    aws = access.recipe(access.role).open()
    own = access.bucket_role is not None and access.bucket_role != access.role
    bucket_aws = access.recipe(access.bucket_role).open() if own else aws
    return Connection(access, aws, bucket_aws, now, slowdowns)


class Connection:
    """AWS, through the identity that asks about trails and the one that reads buckets."""

    def __init__(
        self,
        access: Access,
        aws: Aws,
        bucket_aws: Aws,
        now: datetime,
        slowdowns: Slowdowns | None = None,
    ) -> None:
        from integrity.sources.public_keys import LivePublicKeys
        from integrity.sources.trails import TrailDirectory

        self._access, self._aws, self._now = access, aws, now
        self._bucket_aws = bucket_aws
        self._slowdowns = slowdowns
        self._directory = TrailDirectory(aws)
        self._live_keys = LivePublicKeys(aws, now)
        self._keys = self._all_keys()
        self._beside = ThreadPoolExecutor(_BESIDE)
        self._asking = Lock()
        self._asked_caller: Future[CallerIdentity | None] | None = None

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        """The trails that are meant. Raises UsageError where there is none."""
        if claim.name is not None:
            meant = self._meant_among_others(claim.name, claim)
            if self._access.replica is not None:
                # What AWS delivers goes elsewhere: it is no witness of a replica.
                meant = replace(meant, trail=replace(meant.trail, looked_up=False))
            return [meant]
        trails = self._directory.list_trails()
        if not trails:
            raise UsageError(
                "this account has no trails: name the one that is meant with --trail-arn (and "
                "--s3-bucket, if it was deleted), or choose another --profile"
            )
        return [with_neighbours(trail, trails) for trail in trails]

    def open_trail(self, claim: Claim, remembered: Trail | None) -> MeantTrail:
        """The trail that is claimed by its ARN; one that AWS does not show is the remembered one.

        Raises UsageError and AccessError as `open_trails` does where nothing is remembered.
        """
        assert claim.name is not None  # noqa: S101 - a watched trail has an ARN
        return self._meant_among_others(claim.name, claim, remembered)

    def verify(
        self,
        job: Job,
        *,
        progress: Progress,
        clock: Callable[[], datetime],
        stopping: Stopping,
        names_valid: bool,
        previous_sha256: str | None = None,
        sources: Sources | None = None,
        keeping: Keeping | None = None,
    ) -> Verification:
        """One trail's record.

        `names_valid` keeps it in one process: names of valid files do not travel between several.
        `sources` stand in for this connection's own; with `keeping` it can go on later.
        """
        from integrity.verify.run import verify_trail

        own = sources or self.sources_of(job)
        caller = self._caller(job.trail.home_region)
        verification = verify_trail(
            replace(job, is_copy=self._access.replica is not None),
            replace(own, recipe=None) if names_valid else own,
            run_id=str(uuid.uuid4()),
            caller_arn=caller.arn if caller else None,
            progress=progress,
            clock=clock,
            stopping=stopping,
            previous_sha256=previous_sha256,
            keeping=keeping,
        )
        population = verification.run.population
        notes = (*self._directory.notes, *population.notes)
        run = replace(verification.run, population=replace(population, notes=notes))
        return replace(verification, run=run)

    def forecast(self, job: Job, now: datetime, stopping: Stopping) -> Forecast:
        """What verifying one trail will take, from listings alone."""
        from integrity.verify.forecast import forecast_trail

        return forecast_trail(job, self.sources_of(job), now=now, stopping=stopping)

    def find_log(
        self, location: S3Location, name: LogName, trail_arn: str | None, now: datetime
    ) -> Vouched:
        """Who vouches for one log file. Raises UsageError for an ARN that is none."""
        from integrity.sources.claimed import claimed_trail
        from integrity.verify.vouched import find_log

        root = name.root
        trail = trail_arn and claimed_trail(trail_arn, root.bucket, root.prefix)
        return find_log(location, name, self.open_sources(), trail=trail or None, now=now)

    def sources_of(self, job: Job) -> Sources:
        """Where a job's bytes and witnesses come from. Raises UsageError for an unknown region."""
        from integrity.verify.run import Sources

        _refuse_unknown(self._aws, job.source_regions or ())
        bucket = self._access.replica[0] if self._access.replica else job.trail.bucket
        self._beside.submit(self._s3.open_ahead, bucket)
        caller = self._caller(job.trail.home_region)
        return Sources(
            *self.open_sources(),
            self._witnesses(job.trail, caller.account_id if caller else None),
            recipe=SourcesRecipe(self._access, self._now),
            versions=self._versions(),
        )

    def _versions(self) -> ObjectVersions | None:
        """What lay in the bucket before; a replica has versions of its own."""
        from integrity.sources.versions import ObjectVersions

        if self._access.replica is not None:
            return None
        owner = self._access.expected_bucket_owner
        return ObjectVersions(self._bucket_aws, expected_bucket_owner=owner)

    def _witnesses(self, trail: Trail, account_id: str | None) -> Witnesses:
        """Who can be asked about a trail: nobody, if AWS knows it not, or not in this place."""
        from integrity.sources.estate import Estate
        from integrity.sources.trail_status import TrailStatuses

        if not trail.looked_up:
            return Witnesses()
        estate = Estate(self._aws, trail.home_region)
        return Witnesses(
            account_id=account_id,
            statuses=TrailStatuses(self._aws, trail, self._now),
            regions=estate,
            accounts=estate,
            history=self._history,
        )

    def open_sources(self) -> OpenSources:
        """Where objects, public keys and the rules of buckets come from."""
        from integrity.sources.lifecycle import Lifecycles

        access = self._access
        rules = Lifecycles(self._bucket_aws, expected_bucket_owner=access.expected_bucket_owner)
        if access.replica is None or access.original is None:
            return self._s3, self._keys, rules
        from integrity.sources.folder import Original
        from integrity.sources.replica import Replica, ReplicaRules, ReplicaSource

        replica = Replica(Original(*access.original), *access.replica)
        return ReplicaSource(self._s3, replica), self._keys, ReplicaRules(rules, replica)

    @cached_property
    def _history(self) -> EventHistory:
        from integrity.sources.event_history import EventHistory

        return EventHistory(self._aws)

    @cached_property
    def _s3(self) -> S3Source:
        from integrity.sources.s3 import S3Source

        owner = self._access.expected_bucket_owner
        return S3Source(self._bucket_aws, expected_bucket_owner=owner, slowdowns=self._slowdowns)

    def list_trails(self) -> Sequence[TrailListing]:
        """Every trail of the account, and whether it logs."""
        return [self._listing(trail) for trail in self._directory.list_trails()]

    def save_keys(self, regions: Sequence[str], window: TimeWindow) -> bytes:
        """The public keys of all these regions. Raises AccessError where one does not answer."""
        from integrity.sources.key_file import encode_keys
        from integrity.verify.keyring import asked_for

        _refuse_unknown(self._aws, regions)
        keys: list[PublicKey] = []
        for region in regions:
            answer = self._live_keys.fetch_keys(region, asked_for(window))
            if isinstance(answer, KeysUnavailable):
                raise AccessError(f"nothing was saved: {answer.detail}")
            keys += answer
        return encode_keys(keys)

    def _meant_among_others(
        self, name: str, claim: Claim, remembered: Trail | None = None
    ) -> MeantTrail:
        """The trail that is named. What else is known to be needed is got while AWS answers."""
        from integrity.sources.claimed import parse_trail_arn

        arn = parse_trail_arn(name)
        where = arn.region if arn is not None else self._aws.region
        if where is not None:
            with suppress(UsageError):  # whoever needs that client will say so
                self._aws.client("cloudtrail", where)
        meant = self._beside.submit(self._meant, name, claim, remembered)
        listed = self._beside.submit(self._listed)
        self._ask_caller(where)
        self._get_ready()
        trail = meant.result()
        return with_neighbours(trail, self._others(listed.result(), trail))

    def _get_ready(self) -> None:
        """Load what a verification needs in any case, without asking anybody."""
        import integrity.sources.estate
        import integrity.sources.lifecycle
        import integrity.verify.run  # noqa: F401

        with suppress(UsageError):
            self._bucket_aws.client("s3", self._bucket_aws.region or "us-east-1")

    def _ask_caller(self, region: str | None) -> Future[CallerIdentity | None]:
        with self._asking:
            if self._asked_caller is None:
                self._asked_caller = self._beside.submit(self._aws.caller, region)
            return self._asked_caller

    def _caller(self, region: str) -> CallerIdentity | None:
        """Who is asking; STS is asked once. Raises UsageError for wrong credentials."""
        return self._ask_caller(region).result()

    def _meant(self, name: str, claim: Claim, remembered: Trail | None) -> Trail:
        """The trail that is named.

        One that AWS does not show is as it was remembered, or with a bucket taken at its word.
        """
        from integrity.sources.claimed import claimed_trail, parse_trail_arn

        arn = parse_trail_arn(name)
        if arn is None or (claim.bucket is None and remembered is None):
            return claim.placed(self._directory.find(name))
        self._caller(arn.region)  # wrong credentials are no unknown trail
        try:
            return claim.placed(self._directory.find(name))
        except (UsageError, AccessError) as error:
            if remembered is not None:
                _log.warning("trail not shown", extra={"trail": name, "error": str(error)})
                return claim.placed(remembered)
            bucket, prefix = claim.bucket or "", claim.prefix or ""
            return claimed_trail(name, bucket, prefix, claim.organization_id)

    def _listed(self) -> Sequence[TrailArn]:
        """All trails of the account, where that may be asked."""
        try:
            return self._directory.list_arns()
        except (UsageError, AccessError):
            return ()

    def _others(self, listed: Sequence[TrailArn], meant: Trail) -> Sequence[Trail]:
        """The other ones: they only explain what is found, so nobody misses them."""
        try:
            return self._directory.fetch_trails([arn for arn in listed if arn.text != meant.arn])
        except (UsageError, AccessError):
            return ()

    def _listing(self, trail: Trail) -> TrailListing:
        from integrity.sources.trail_status import TrailStatuses

        status = TrailStatuses(self._aws, trail, self._now).fetch_status(trail.home_region)
        details = [status.detail] if isinstance(status, StatusUnavailable) else []
        if trail.is_organization and not trail.organization_id:
            details += self._directory.notes
        return TrailListing(
            trail=trail,
            logging=None if isinstance(status, StatusUnavailable) else status.is_logging,
            detail="; ".join(details),
        )

    def _all_keys(self) -> KeySource:
        """ListPublicKeys, and behind it the file, profile or role that stands in for it."""
        from integrity.sources.key_file import KeyFile
        from integrity.sources.public_keys import FirstOf, keys_of

        access = self._access
        if access.keys_file is not None:
            return FirstOf(self._live_keys, KeyFile.read(access.keys_file))
        if access.keys_profile is not None or access.keys_role is not None:
            recipe = access.recipe(access.keys_role, access.keys_profile)
            return FirstOf(self._live_keys, keys_of(recipe, self._now))
        return self._live_keys


class SourcesRecipe(Struct, frozen=True):
    """The same sources, for a process of its own."""

    access: Access
    now: datetime

    def open(self, slowdowns: Slowdowns) -> OpenSources:
        return connect(self.access, now=self.now, slowdowns=slowdowns).open_sources()


def _refuse_unknown(aws: Aws, regions: Iterable[str]) -> None:
    for region in regions:
        hint = aws.region_hint(region)
        if hint:
            raise UsageError(f"{hint} (a region that is new may need a newer boto3)")
