"""CloudTrail's Event history: what AWS itself keeps of an account's management events, for 90 days.

Nobody who owns a bucket can change it. It is asked one name at a time, at no more than two requests
a second, which is all that AWS grants an account and region, so it is asked for little. Who may not
ask gets a value that names the permission. (AWS: API_LookupEvents.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from integrity.aws.refusal import REFUSALS, Call, explain, is_denied
from integrity.aws.session import Aws
from integrity.chain.estate import History, Unasked
from integrity.chain.model import TimeWindow

_MOST_PAGES = 4
_BETWEEN_SECONDS = 0.5


class EventHistory:
    """The caller's own, of any region. One thread asks at a time; what was told is kept."""

    def __init__(self, aws: Aws, sleep: Callable[[float], None] = time.sleep) -> None:
        self._aws, self._sleep = aws, sleep
        self._asked = False
        self._told: dict[tuple[str, str, TimeWindow], History] = {}

    def lookup_events(
        self, region: str, names: Iterable[str], window: TimeWindow
    ) -> History | Unasked:
        """Events of these names, the newest of each first, so many pages of each at most."""
        told = []
        try:
            for name in names:
                question = (region, name, window)
                if question not in self._told:
                    self._told[question] = self._lookup(*question)
                told.append(self._told[question])
        except REFUSALS as error:
            call = Call("cloudtrail:LookupEvents", f"in region {region}")
            return Unasked(call.permission, explain(error, call), is_denied(error))
        events = tuple(event for one in told for event in one.events)
        return History(events, any(one.more for one in told))

    def _lookup(self, region: str, name: str, window: TimeWindow) -> History:
        events: list[bytes] = []
        for number, page in enumerate(self._pages(region, name, window), 1):
            found = (one.get("CloudTrailEvent") for one in page.get("Events", ()))
            events += [event.encode() for event in found if event]
            if number == _MOST_PAGES:
                return History(tuple(events), bool(page.get("NextToken")))
        return History(tuple(events))

    def _pages(self, region: str, name: str, window: TimeWindow) -> Iterator[dict[str, Any]]:
        client = self._aws.client("cloudtrail", region)
        asked: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}],
            "StartTime": window.start,
            "EndTime": window.end,
            "MaxResults": 50,
        }
        while True:
            if self._asked:
                self._sleep(_BETWEEN_SECONDS)
            self._asked = True
            page = client.lookup_events(**asked)
            yield page
            token = page.get("NextToken")
            if not token or token == asked.get("NextToken"):
                return
            asked["NextToken"] = token
