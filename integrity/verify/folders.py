"""Which accounts and regions the bucket shows, under every root of the trail in it.

Folders are listed with a delimiter, `CloudTrail-Digest/` and `CloudTrail/` both: a region whose
digests were wiped still has its logs. A root is a layout: plain, with the organization's id, both
after a move to an organization trail; and under a prefix of the same id, as Control Tower has it.
What is expected is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from integrity.chain.model import ChainId, Root, TimeWindow, Unreachable
from integrity.chain.names import ACCOUNT_ID, ORGANIZATION_ID, REGION, region_folders
from integrity.chain.population import Found, Pair
from integrity.chain.times import DAY
from integrity.structs import replace
from integrity.verify.job import Job
from integrity.verify.listing import CLOUDTRAIL_BEGAN, DigestFolders
from integrity.verify.tools import Tools

_ACCOUNT = re.compile(ACCOUNT_ID)
_ORGANIZATION = re.compile(ORGANIZATION_ID)
_REGION = re.compile(REGION)

_Shown = dict[Root, tuple[str, ...] | None]
"""The names directly below each root; None where nobody would say."""


@dataclass(slots=True)
class Folders:
    """What was found; `unlisted` had to be looked into and gave no answer, `notes` had not to."""

    found: Found
    unlisted: list[Unreachable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_folders(job: Job, tools: Tools) -> Folders:
    """List the folders of the trail's bucket: each level all at once, the likely ones ahead."""
    return _Finder(job, tools).find()


class _Finder:
    def __init__(self, job: Job, tools: Tools) -> None:
        self._job, self._tools, self._trail = job, tools, job.trail
        self._unlisted: dict[Unreachable, None] = {}
        self._notes: dict[str, None] = {}
        self._asked: dict[tuple[str, str], Future[tuple[str, ...] | Unreachable]] = {}

    def find(self) -> Folders:
        self._ask_ahead()
        shown = self._shown()
        primary = self._primary(shown)
        accounts = {root: self._accounts(root, shown[root], primary) for root in shown}
        older = [root for root in shown if root != primary and accounts[root]]
        roots = (primary, *older)
        places = self._places([(root, account) for root in roots for account in accounts[root]])
        found = Found(roots, places, self._moved(primary, places))
        return Folders(found, list(self._unlisted), list(self._notes))

    # Roots and accounts

    def _shown(self) -> _Shown:
        """Every root that there can be, with its accounts."""
        trail = self._trail
        shown: _Shown = {}
        plain = [Root(trail.bucket, prefix) for prefix in self._prefixes()]
        # Where AWS names the organization, the layouts of other times are no must.
        self._list_roots(plain, shown, is_needed=not trail.organization_id)
        organized = {
            replace(root, organization_id=name)
            for root in plain
            for name in shown[root] or ()
            if _ORGANIZATION.fullmatch(name)
        }
        if trail.organization_id:
            organized.add(trail.root)
        self._list_roots(sorted(organized), shown, is_needed=self._job.account_ids is None)
        return shown

    def _prefixes(self) -> list[str]:
        """The trail's prefix. Of a bucket that was only claimed nobody knows: ids of organizations
        may be prefixes in it.
        """
        trail = self._trail
        if trail.looked_up or trail.prefix:
            return [trail.prefix]
        (names,) = self._list_all([(trail.bucket, "")])
        if isinstance(names, Unreachable):
            self._notes[names.detail] = None
            return [trail.prefix]
        return [trail.prefix, *sorted(name for name in names if _ORGANIZATION.fullmatch(name))]

    def _list_roots(self, roots: Sequence[Root], shown: _Shown, *, is_needed: bool) -> None:
        answers = self._list_all([(root.bucket, root.folder) for root in roots])
        for root, answer in zip(roots, answers, strict=True):
            shown[root] = None if isinstance(answer, Unreachable) else answer
            if isinstance(answer, Unreachable) and is_needed:
                self._unlisted[answer] = None
            elif isinstance(answer, Unreachable):
                self._notes[f"{answer.location.uri}: {answer.detail}"] = None

    def _primary(self, shown: Mapping[Root, tuple[str, ...] | None]) -> Root:
        """Where the trail writes now: AWS says so, or else where its own account lies."""
        trail = self._trail
        if trail.organization_id and trail.looked_up:
            return trail.root
        plainly = not (trail.is_organization or trail.organization_id)
        ordered = sorted(
            shown,
            key=lambda root: (
                root.organization_id != trail.organization_id,
                bool(root.organization_id) is plainly,
                root.prefix != trail.prefix,
            ),
        )
        holding = [root for root in ordered if trail.account_id in (shown[root] or ())]
        return (holding or ordered)[0]

    def _accounts(self, root: Root, names: tuple[str, ...] | None, primary: Root) -> list[str]:
        """Whose chains of this trail can lie there: of many accounts under an organization's id,
        else of its own alone, for other accounts may have trails of the same name.
        """
        asked, own = self._job.account_ids, self._trail.account_id
        if names is None:
            return sorted(asked or [own]) if root == primary else []
        if root.organization_id and root != primary and own not in names:
            return []  # another organization, whose trail may have the same name
        accounts = {name for name in names if _ACCOUNT.fullmatch(name)}
        if not root.organization_id:
            accounts &= {own, *(asked or ())} if root == primary else {own}
        return sorted(accounts if asked is None else accounts.intersection(asked))

    # Regions

    def _places(self, accounts: Sequence[tuple[Root, str]]) -> dict[Pair, list[Root]]:
        places: dict[Pair, list[Root]] = {}
        if self._job.source_regions is not None:
            for root, account_id in accounts:
                for region in self._job.source_regions:
                    places.setdefault((account_id, region), []).append(root)
            return places
        asked = [
            (root, account_id, folder)
            for root, account_id in accounts
            for folder in region_folders(root, account_id)
        ]
        answers = self._list_all([(root.bucket, folder) for root, _, folder in asked])
        for (root, account_id, _), answer in zip(asked, answers, strict=True):
            if isinstance(answer, Unreachable):
                self._unlisted[answer] = None
                continue
            for name in filter(_REGION.fullmatch, answer):
                roots = places.setdefault((account_id, name), [])
                if root not in roots:
                    roots.append(root)
        return places

    def _moved(self, primary: Root, places: Mapping[Pair, Sequence[Root]]) -> datetime | None:
        """When the trail came to its primary root, if its own chains lie under others too.

        Nobody else tells since when an organization's trail is one; before, it covered no member.
        """
        trail = self._trail
        both = sorted(
            region
            for (account_id, region), roots in places.items()
            if account_id == trail.account_id and primary in roots and len(roots) > 1
        )
        if not both:
            return None
        region = trail.home_region if trail.home_region in both else both[0]
        folders = DigestFolders(
            self._tools.objects, self._tools.executor, account_id=trail.account_id, region=region
        )
        chain = ChainId(primary, trail.account_id, region, trail.name, trail.home_region)
        ever = TimeWindow(CLOUDTRAIL_BEGAN, self._tools.now + DAY)
        first = folders.search(primary, chain, ever, newest_first=False)
        return first.end if first is not None else None

    def _ask_ahead(self) -> None:
        """The levels of the trail's own account, which nearly every job lists one by one."""
        trail, job = self._trail, self._job
        if not trail.looked_up:
            return
        plain = Root(trail.bucket, trail.prefix)
        self._ask([(root.bucket, root.folder) for root in (plain, trail.root)])
        meant = job.account_ids is None or trail.account_id in job.account_ids
        if meant and job.source_regions is None:
            own = region_folders(trail.root, trail.account_id)
            self._ask([(trail.bucket, folder) for folder in own])

    def _ask(self, folders: Iterable[tuple[str, str]]) -> None:
        for folder in folders:
            if folder not in self._asked:
                list_folders = self._tools.objects.list_folders
                self._asked[folder] = self._tools.executor.submit(list_folders, *folder)

    def _list_all(self, folders: Sequence[tuple[str, str]]) -> list[tuple[str, ...] | Unreachable]:
        self._ask(folders)
        return [self._asked[folder].result() for folder in folders]
