"""Which chains are expected in a window, decided apart from what is found in the bucket.

From the trail, from what the command line names, and from whoever could be asked: GetTrailStatus in
every region of the caller's account, the organization's accounts, the regions. A folder alone makes
a candidate; whether a digest of the trail was ever in it is seen when it is read, and `coverage`
has the last word.

1. Expected is the trail's home region in its own account, and what the command line names.
2. Expected are, of each active account of an organization that joined a day ago, the regions that
   need no opt-in; not accounts times regions, for nobody knows what a member has enabled.
3. Expected is what an earlier verification knows, even if nothing of it is left.
4. A chain may have ended where its account is not active, or its region not enabled.
5. A secondary root holds what the trail wrote in another layout: log files there expect nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from integrity.chain.estate import Member, Region, Unasked
from integrity.chain.model import Root, TimeWindow, Trail, TrailStatus
from integrity.chain.times import DAY, HOUR, format_instant

Pair = tuple[str, str]
"""An account and a source region."""

LIST_ACCOUNTS = "organizations:ListAccounts"
DESCRIBE_REGIONS = "ec2:DescribeRegions"


class Scope(Struct, frozen=True, kw_only=True):
    """The trail that is meant, and what of it is asked for; None narrows nothing.

    `known` holds the chains of which earlier verifications saw digests, and since when.
    """

    trail: Trail
    window: TimeWindow
    now: datetime
    account_ids: tuple[str, ...] | None = None
    source_regions: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    known: Mapping[Pair, datetime] = field(default_factory=dict)

    def holds(self, pair: Pair) -> bool:
        account_id, region = pair
        return (self.account_ids is None or account_id in self.account_ids) and (
            self.source_regions is None or region in self.source_regions
        )

    def ignores(self, pair: Pair) -> bool:
        """Whether a person says that this chain has ended."""
        return pair[0] in self.ignored or "/".join(pair) in self.ignored


class Found(Struct, frozen=True):
    """What the folders show. `roots` are the trail's places, the one that it writes to now first.

    `places` holds, for each account and region with a folder, the roots under which it lies. A
    trail that wrote elsewhere before came to the first of its roots when it `moved`.
    """

    roots: tuple[Root, ...]
    places: Mapping[Pair, Sequence[Root]]
    moved: datetime | None = None


class Told(Struct, frozen=True, kw_only=True):
    """What AWS says; what is None was not to be had, and `unasked` tells why.

    `statuses` are GetTrailStatus by region, true of the chains of `account_id` alone: the caller's.
    With `is_gone` the account that owns the trail has no such trail any more.
    """

    account_id: str | None = None
    statuses: Mapping[str, TrailStatus] = field(default_factory=dict)
    regions: Mapping[str, Region] | None = None
    members: Mapping[str, Member] | None = None
    unasked: tuple[Unasked, ...] = ()
    is_gone: bool = False

    def status_of(self, trail: Trail) -> TrailStatus | None:
        """AWS's word on the trail itself: from its home, or from whatever region was asked."""
        home = self.statuses.get(trail.home_region)
        return home or next((status for _, status in sorted(self.statuses.items())), None)

    def why_not(self, call: str) -> str:
        """Why a witness gave no answer; empty where it was asked, or where it makes no sense."""
        return next((refusal.detail for refusal in self.unasked if refusal.call == call), "")


class Expectation(Struct, frozen=True, kw_only=True):
    """What is known of a chain before it is read.

    It lies under `root`, and older parts of it under the roots `beside`. `is_due`: a digest is
    expected in the window; `by_logs`: it is if log files were delivered. An earlier verification
    knows it `known_since`. A member is covered `since` it joined a trail that was on, and its first
    digest ends `at_latest` then. For a person: `why` AWS lets it be expected, `gone` is AWS's word
    that it ended, and `settles` what would tell an ended chain from one that was silenced.
    """

    root: Root
    beside: tuple[Root, ...] = ()
    is_due: bool = False
    by_logs: bool = False
    is_ignored: bool = False
    status: TrailStatus | None = None
    known_since: datetime | None = None
    since: datetime | None = None
    at_latest: datetime | None = None
    why: str = ""
    gone: str = ""
    settles: str = ""


def expect_chains(scope: Scope, found: Found, told: Told) -> dict[Pair, Expectation]:
    """Every chain to look for, by account and region, in order."""
    return _Population(scope, found, told).expect()


class _Population:
    def __init__(self, scope: Scope, found: Found, told: Told) -> None:
        self._scope, self._found, self._told = scope, found, told
        self._trail = scope.trail

    def expect(self) -> dict[Pair, Expectation]:
        due = {pair for pair in self._due() if self._scope.holds(pair)}
        delivered = {pair for pair in self._delivered() if self._scope.holds(pair)}
        shown = {pair for pair in self._found.places if self._scope.holds(pair)}
        known = {pair for pair in self._scope.known if self._scope.holds(pair)}
        pairs = sorted(due | delivered | shown | known)
        return {pair: self._expectation(pair, due) for pair in pairs}

    def _expectation(self, pair: Pair, due: set[Pair]) -> Expectation:
        account_id, region = pair
        signs, primary = self._trail.validation, self._found.roots[0]
        since, at_latest = self._since(pair)
        places = list(self._found.places.get(pair, ()))
        here = primary in places or pair in due or account_id == self._trail.account_id
        root = primary if here or not places else places[0]
        return Expectation(
            root=root,
            beside=tuple(place for place in places if place != root),
            # A trail that signs nothing owes no digest; what it signed before is judged as ever.
            is_due=signs and pair in due,
            by_logs=signs and self._trail.multi_region and root == primary,
            is_ignored=self._scope.ignores(pair),
            status=self._status(pair),
            known_since=self._scope.known.get(pair),
            since=since,
            at_latest=at_latest,
            why=self._why(account_id),
            gone=self._gone(account_id, region),
            settles=self._settles(account_id, region),
        )

    # Expected

    def _due(self) -> Iterator[Pair]:
        yield self._trail.account_id, self._trail.home_region
        yield from self._named()
        for account_id in self._told.members or ():
            yield from self._of_member(account_id)

    def _named(self) -> Iterator[Pair]:
        """What the command line names: nothing that was typed may pass in silence."""
        accounts, regions = self._scope.account_ids, self._scope.source_regions
        shown = {account_id for account_id, _ in self._found.places}
        for account_id in accounts or sorted({self._trail.account_id, *shown}):
            for region in regions or ():
                # Who named a region for all accounts did not say that each has opted in.
                if accounts or account_id == self._trail.account_id or not self._opt_in(region):
                    yield account_id, region
            if accounts and not regions and account_id not in shown:
                yield account_id, self._trail.home_region

    def _of_member(self, account_id: str) -> Iterator[Pair]:
        _, at_latest = self._covered(account_id)
        if at_latest is None or at_latest >= min(self._scope.window.end, self._scope.now):
            return
        home = self._trail.home_region
        if self._told.regions is None:
            # Nobody says which regions need no opt-in; an account without a folder is not nothing.
            if account_id not in {account for account, _ in self._found.places}:
                yield account_id, home
            return
        for region in self._told.regions.values():
            if not region.needs_opt_in and (self._trail.multi_region or region.name == home):
                yield account_id, region.name

    def _delivered(self) -> Iterator[Pair]:
        for region, status in self._told.statuses.items():
            if self._told.account_id and status.latest_digest_delivery is not None:
                yield self._told.account_id, region

    # What AWS says of one chain

    def _status(self, pair: Pair) -> TrailStatus | None:
        return self._told.statuses.get(pair[1]) if pair[0] == self._told.account_id else None

    def _opt_in(self, region: str) -> bool:
        known = (self._told.regions or {}).get(region)
        return known is not None and known.needs_opt_in

    def _since(self, pair: Pair) -> tuple[datetime | None, datetime | None]:
        """Opt-in regions are enabled account by account, at a time that nobody tells."""
        known = (self._told.regions or {}).get(pair[1])
        return (None, None) if known is None or known.needs_opt_in else self._covered(pair[0])

    def _covered(self, account_id: str) -> tuple[datetime | None, datetime | None]:
        """Since when an active member must have been covered, and when its first digest ends at the
        latest: AWS takes up to a day for a new member.
        """
        member = (self._told.members or {}).get(account_id)
        if member is None or not member.is_active:
            return None, None
        since, at_latest = member.joined, member.joined + DAY
        status = self._told.status_of(self._trail)
        if status is not None and status.started is not None and status.stopped is None:
            since, at_latest = max(since, status.started), max(at_latest, status.started + HOUR)
        moved = self._found.moved
        if moved is not None and account_id != self._trail.account_id:
            # Only since then it is the organization's.
            since, at_latest = max(since, moved), max(at_latest, moved + DAY)
        return since, at_latest

    def _why(self, account_id: str) -> str:
        member = (self._told.members or {}).get(account_id)
        if member is None or not member.is_active or account_id == self._trail.account_id:
            return ""
        return f"the account is active in the organization since {format_instant(member.joined)}"

    def _gone(self, account_id: str, region: str) -> str:
        members, regions = self._told.members, self._told.regions
        if members is not None and account_id != self._trail.account_id:
            if account_id not in members:
                return f"account {account_id} is not in the organization now"
            if not members[account_id].is_active:
                return f"account {account_id} is not active now"
        if regions is not None and account_id == self._told.account_id:
            known = regions.get(region)
            if known is not None and not known.is_enabled:
                return f"region {region} is not enabled now"
        return ""

    def _settles(self, account_id: str, region: str) -> str:
        call = DESCRIBE_REGIONS if account_id == self._told.account_id else LIST_ACCOUNTS
        why_not = self._told.why_not(call)
        says_so = f"if it ended, --ignore {account_id}/{region} says so"
        return f"{says_so} ({why_not})" if why_not else says_so
