"""Joins the rooms: opens what a command asked for and runs it. It holds no judgement of its own.

The AWS SDK comes in with `sources`, which is imported where it is first needed: `--help` and a
usage error stay quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from integrity.chain.model import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """With what AWS is asked: credentials, and whose public keys stand in for a silent region's.

    `profile` and `region` mean what they mean to the AWS CLI. `keys_file` and `keys_profile` supply
    the public keys of regions that the caller has not enabled; one of them at most is given.
    """

    profile: str | None = None
    region: str | None = None
    expected_bucket_owner: str | None = None
    keys_file: Path | None = None
    keys_profile: str | None = None
    concurrency: int = 32


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

    `unsigned_neighbours` are the ARNs of trails that write to the same place without validation:
    their log files lie among this one's, and no digest will ever name them.
    """

    trail: Trail
    unsigned_neighbours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailListing:
    """A trail of the account, and what AWS says of it now.

    `logging` is None where nobody was allowed to say; `detail` says what could not be asked.
    """

    trail: Trail
    organization: bool
    logging: bool | None
    detail: str = ""
