"""What AWS says of the accounts, regions and buckets around a trail: nouns, and no judgement.

Each is the word of a witness out of the bucket owner's reach, where the call is allowed; `Unasked`
stands for a witness that gave no answer. What follows from their word is `population`'s and
`retention`'s to say. (AWS: EC2 API_Region, Organizations API_Account, S3 LifecycleRule.)
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Region(Struct, frozen=True):
    """A region of AWS as the caller's account sees it.

    `needs_opt_in` marks the regions that every account has to enable for itself.
    """

    name: str
    is_enabled: bool = True
    needs_opt_in: bool = False


class Member(Struct, frozen=True):
    """An account of the organization, since `joined`; a closed or suspended one is not active."""

    account_id: str
    is_active: bool
    joined: datetime


class Organization(Struct, frozen=True):
    """All accounts of the caller's organization."""

    organization_id: str
    members: tuple[Member, ...]


class Unasked(Struct, frozen=True):
    """A witness that gave no answer: `call` as a policy names it, `organizations:ListAccounts`.

    `detail` says why and what would help; `denied` tells a missing permission from other trouble.
    """

    call: str
    detail: str
    denied: bool


class ExpirationRule(Struct, frozen=True):
    """An enabled rule of a bucket that deletes the objects whose keys begin with `prefix`.

    After `days` since they were written, or all of them on `date`.
    """

    rule_id: str
    prefix: str
    days: int | None = None
    date: datetime | None = None


class History(Struct, frozen=True):
    """Events that the Event history tells, each as JSON. `more`: not all of them were taken."""

    events: tuple[bytes, ...] = ()
    more: bool = False
