"""Joins the rooms: opens what a command asked for and runs it. It holds no judgement of its own.

The AWS SDK comes in with `sources`, which is imported where it is first needed: `--help` and a
usage error stay quick.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from integrity.chain.model import (
    KeysUnavailable,
    PublicKey,
    StatusUnavailable,
    TimeWindow,
    Trail,
)
from integrity.errors import AccessError, UsageError
from integrity.verify.job import Job
from integrity.verify.parallel import Stopping
from integrity.verify.ports import KeySource, OpenSources, Progress, Witnesses

if TYPE_CHECKING:
    from integrity.aws.roles import Role
    from integrity.aws.session import Aws, AwsRecipe
    from integrity.verify.run import Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """With what AWS is asked: credentials, and whose public keys stand in for a silent region's.

    `profile` and `region` mean what they mean to the AWS CLI. They assume the roles, where there
    are any: `role` for the trail's account, `bucket_role` for the bucket's (None: the same).
    `keys_file`, `keys_profile` and `keys_role` supply the public keys of regions that the caller
    has not enabled; one of them at most is given.
    """

    profile: str | None = None
    region: str | None = None
    role: Role | None = None
    bucket_role: Role | None = None
    expected_bucket_owner: str | None = None
    keys_file: Path | None = None
    keys_profile: str | None = None
    keys_role: Role | None = None
    concurrency: int = 64

    def recipe(self, role: Role | None, profile: str | None = None) -> AwsRecipe:
        """How to open AWS as a role, or as whoever the profile says."""
        from integrity.aws.session import AwsRecipe

        return AwsRecipe(
            profile=profile or self.profile,
            region=self.region,
            role=role,
            max_connections=self.concurrency,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the command line says of the trail. `name` is its ARN or name; None: every trail.

    `bucket`, `prefix` and `organization_id` stand in place of what AWS says of it; None leaves it
    to AWS, an empty prefix says that there is none.
    """

    name: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    organization_id: str | None = None


@dataclass(frozen=True, slots=True)
class MeantTrail:
    """A trail that is to be verified.

    `unsigned_neighbours` write to the same place without validation: their log files lie among this
    one's, and no digest will ever name them.
    """

    trail: Trail
    unsigned_neighbours: tuple[Trail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailListing:
    """A trail of the account, and what AWS says of it now.

    `logging` is None where nobody was allowed to say; `detail` says what could not be asked.
    """

    trail: Trail
    logging: bool | None
    detail: str = ""


def connect(access: Access, *, now: datetime) -> Connection:
    """Find the credentials and whoever else answers for public keys.

    Raises UsageError where there are none, where a role refuses or where the file of keys is not
    one, and AccessError where STS does not answer.
    """
    aws = access.recipe(access.role).open()
    own = access.bucket_role is not None and access.bucket_role != access.role
    return Connection(access, aws, now, access.recipe(access.bucket_role).open() if own else aws)


class Connection:
    """AWS, through the identity that asks about trails and the one that reads buckets."""

    def __init__(
        self, access: Access, aws: Aws, now: datetime, bucket_aws: Aws | None = None
    ) -> None:
        from integrity.sources.public_keys import LivePublicKeys
        from integrity.sources.trails import TrailDirectory

        self._access, self._aws, self._now = access, aws, now
        self._bucket_aws = bucket_aws or aws
        self._directory = TrailDirectory(aws)
        self._live_keys = LivePublicKeys(aws, now)
        self._keys = self._all_keys()

    def open_trails(self, claim: Claim) -> Sequence[MeantTrail]:
        """The trails that are meant. Raises UsageError where there is none."""
        if claim.name is not None:
            # The others only explain what is found: they are asked for beside the one meant.
            with ThreadPoolExecutor(1) as beside:
                others = beside.submit(self._other_trails)
                trail = self._meant(claim.name, claim)
                return [_with_neighbours(trail, others.result())]
        trails = self._directory.list_trails()
        if not trails:
            raise UsageError(
                "this account has no trails: name the one that is meant with --trail-arn (and "
                "--s3-bucket, if it was deleted), or choose another --profile"
            )
        return [_with_neighbours(trail, trails) for trail in trails]

    def verify(
        self,
        job: Job,
        *,
        progress: Progress,
        clock: Callable[[], datetime],
        stopping: Stopping,
        names_valid: bool,
        previous_sha256: str | None = None,
    ) -> Verification:
        """One trail's record. Raises UsageError for a region that is not one.

        `names_valid` keeps it in one process: names of valid files do not travel between several.
        """
        from integrity.verify.run import Sources, verify_trail

        _refuse_unknown(self._aws, job.source_regions or ())
        caller = self._aws.caller(job.trail.home_region)
        verification = verify_trail(
            job,
            Sources(
                *self.open_sources(),
                self._witnesses(job.trail, caller.account_id if caller else None),
                recipe=None if names_valid else SourcesRecipe(self._access, self._now),
            ),
            run_id=str(uuid.uuid4()),
            caller_arn=caller.arn if caller else None,
            progress=progress,
            clock=clock,
            stopping=stopping,
            previous_sha256=previous_sha256,
        )
        population = verification.run.population
        notes = (*self._directory.notes, *population.notes)
        run = replace(verification.run, population=replace(population, notes=notes))
        return replace(verification, run=run)

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
        )

    def open_sources(self) -> OpenSources:
        """Where objects, public keys and the rules of buckets come from."""
        from integrity.sources.lifecycle import Lifecycles
        from integrity.sources.s3 import S3Source

        owner = self._access.expected_bucket_owner
        return (
            S3Source(self._bucket_aws, expected_bucket_owner=owner),
            self._keys,
            Lifecycles(self._bucket_aws, expected_bucket_owner=owner),
        )

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

    def _meant(self, name: str, claim: Claim) -> Trail:
        """The trail that is named; with a bucket, one that nobody knows is taken at its word."""
        from integrity.sources.trails import claimed_trail, parse_trail_arn

        arn = parse_trail_arn(name)
        if claim.bucket is None or arn is None:
            return _replaced(self._directory.find(name), claim)
        self._aws.caller(arn.region)  # wrong credentials are no unknown trail
        try:
            return _replaced(self._directory.find(name), claim)
        except (UsageError, AccessError):
            return claimed_trail(name, claim.bucket, claim.prefix or "", claim.organization_id)

    def _other_trails(self) -> Sequence[Trail]:
        """All trails of the account, where that may be asked: they only explain what is found."""
        try:
            return self._directory.list_trails()
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


@dataclass(frozen=True, slots=True)
class SourcesRecipe:
    """The same sources, for a process of its own."""

    access: Access
    now: datetime

    def open(self) -> OpenSources:
        return connect(self.access, now=self.now).open_sources()


def _refuse_unknown(aws: Aws, regions: Iterable[str]) -> None:
    for region in regions:
        hint = aws.region_hint(region)
        if hint:
            raise UsageError(f"{hint} (a region that is new may need a newer boto3)")


def _replaced(trail: Trail, claim: Claim) -> Trail:
    """The trail with the place that was claimed for it, if that is another one.

    What AWS says of the trail is then no witness of that place: what it delivers goes elsewhere.
    """
    moved = claim.bucket not in (None, trail.bucket)
    prefix = claim.prefix if claim.prefix is not None else "" if moved else trail.prefix
    meant = replace(
        trail,
        bucket=claim.bucket or trail.bucket,
        prefix=prefix,
        organization_id=claim.organization_id or trail.organization_id,
    )
    same_place = (meant.bucket, meant.prefix) == (trail.bucket, trail.prefix)
    same_place = same_place and trail.organization_id in ("", meant.organization_id)
    return meant if same_place else replace(meant, looked_up=False)


def _with_neighbours(trail: Trail, all_trails: Iterable[Trail]) -> MeantTrail:
    unsigned = [
        other
        for other in all_trails
        if other.arn != trail.arn and not other.validation and other.root == trail.root
    ]
    return MeantTrail(trail, tuple(unsigned))
