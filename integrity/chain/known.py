"""What earlier verifications know of a chain, to be held against what the bucket shows now.

A digest that was authentic once cannot become absent, or another one, by itself. Values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from integrity.chain.model import ChainId, S3Location


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDigest:
    """A digest file that was found authentic. `sha256` is of its stored content, inflated.

    `version_id` is null where the bucket keeps no versions.
    """

    location: S3Location
    end: datetime
    sha256: str
    signature: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownChain:
    """One chain, standard or backfill, as it was left.

    `head` is its newest authentic digest; `recent` are the others of the time in which digests are
    still redelivered, so that one that goes is missing and not late. `lost` are known digests that
    were found gone or changed, until they are back or a person accepts it. The chain is looked at
    up to `attempted`, whatever came of it, and proven without a break up to `verified`.
    """

    chain: ChainId
    head: KnownDigest | None
    recent: tuple[KnownDigest, ...] = ()
    lost: tuple[KnownDigest, ...] = ()
    attempted: datetime
    verified: datetime | None = None
