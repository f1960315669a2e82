"""CloudTrail's own answers: keys, trails, their status, and the events of trails' administration.

Region and account are the caller's: the region comes from the signature's scope, the account from
the access key (see `integrity.lab.server`). Times on the wire are epoch seconds.

Source: AWS: API_ListPublicKeys, API_GetTrailStatus, API_GetTrail, API_DescribeTrails,
API_ListTrails, API_LookupEvents.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from integrity.lab.estate import LabTrail
from integrity.lab.keys import LabKey
from integrity.lab.wire import Request, Response, json_error, json_response
from integrity.lab.world import World

_Asked = dict[str, Any]


def _time(value: object) -> datetime:
    return datetime.fromtimestamp(float(str(value)), UTC)


class CloudTrailFront:
    """Answers CloudTrail's reading operations from a world. The attributes are knobs:

    `page_size` bounds a page of keys (None: all at once); `future_limit` is how far beyond the
    present the end of ListPublicKeys' range may lie before it is InvalidTimeRangeException (None:
    however far); `unsupported_regions` answer ListPublicKeys with UnsupportedOperationException;
    `keys_shown` may show other keys than the region has.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.page_size: int | None = None
        self.future_limit: timedelta | None = None
        self.unsupported_regions: set[str] = set()
        self.keys_shown: Callable[[list[LabKey]], list[LabKey]] = list

    OPERATIONS = frozenset(
        {
            "DescribeTrails",
            "GetTrail",
            "GetTrailStatus",
            "ListPublicKeys",
            "ListTrails",
            "LookupEvents",
        }
    )

    def answer(self, operation: str, request: Request, account_id: str) -> Response:
        """The answer to one of `OPERATIONS`."""
        asked: _Asked = json.loads(request.body or b"{}")
        if self.world.regions.get(request.region) == "not-opted-in":
            return json_error(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        if operation == "ListPublicKeys":
            return self._list_public_keys(asked, request.region)
        if operation == "LookupEvents":
            return self._lookup_events(asked, request.region, account_id)
        visible = [one for one in self.world.trails if self._owns(one, account_id)]
        if operation == "ListTrails":
            shown = [
                {"TrailARN": one.arn, "Name": one.name, "HomeRegion": one.home_region}
                for one in visible
            ]
            return json_response({"Trails": shown})
        here = [one for one in visible if one.multi_region or one.home_region == request.region]
        if operation == "DescribeTrails":
            return self._describe_trails(asked, here, request.region)
        name = str(asked.get("Name", ""))
        trail = next((one for one in here if _is_named(one, name, request.region)), None)
        if trail is None:
            return json_error(
                "TrailNotFoundException", f"Unknown trail: {name} for the user: {account_id}"
            )
        if operation == "GetTrail":
            return json_response({"Trail": _described(trail)})
        return self._status(trail, request.region, account_id)

    def _owns(self, trail: LabTrail, account_id: str) -> bool:
        member = trail.organization_id is not None and account_id in self.world.accounts
        return not trail.deleted and (trail.account_id == account_id or member)

    def _list_public_keys(self, asked: _Asked, region: str) -> Response:
        if region in self.unsupported_regions:
            return json_error(
                "UnsupportedOperationException", "The requested operation is not supported."
            )
        end = _time(asked["EndTime"]) if "EndTime" in asked else self.world.now
        start = _time(asked["StartTime"]) if "StartTime" in asked else min(self.world.now, end)
        if start > end:
            return json_error("InvalidTimeRangeException", "The start time is after the end time.")
        if self.future_limit is not None and end > self.world.now + self.future_limit:
            return json_error("InvalidTimeRangeException", "The end time is in the future.")
        keys = [
            key
            for key in self.keys_shown(self.world.public_keys(region))
            if key.not_before <= end and key.not_after >= start
        ]
        first = int(asked.get("NextToken") or 0)
        page = keys[first:] if self.page_size is None else keys[first : first + self.page_size]
        answer: dict[str, Any] = {
            "PublicKeyList": [
                {
                    "Value": base64.b64encode(key.der).decode(),
                    "ValidityStartTime": key.not_before.timestamp(),
                    "ValidityEndTime": key.not_after.timestamp(),
                    "Fingerprint": key.fingerprint,
                }
                for key in page
            ]
        }
        if first + len(page) < len(keys):
            answer["NextToken"] = str(first + len(page))
        return json_response(answer)

    def _describe_trails(self, asked: _Asked, here: list[LabTrail], region: str) -> Response:
        names = asked.get("trailNameList") or []
        shadows = asked.get("includeShadowTrails", True)
        shown = [
            _described(trail)
            for trail in here
            if (shadows or trail.home_region == region)
            and (not names or any(_is_named(trail, name, region) for name in names))
        ]
        return json_response({"trailList": shown})

    def _status(self, trail: LabTrail, region: str, account_id: str) -> Response:
        status = self.world.status(trail, region, account_id)
        times = {
            "LatestDeliveryTime": status.latest_delivery_time,
            "LatestDigestDeliveryTime": status.latest_digest_delivery_time,
            "StartLoggingTime": status.start_logging_time,
            "StopLoggingTime": status.stop_logging_time,
        }
        errors = {
            "LatestDeliveryError": status.latest_delivery_error,
            "LatestDigestDeliveryError": status.latest_digest_delivery_error,
        }
        return json_response(
            {
                "IsLogging": status.is_logging and trail.logging,
                **{name: at.timestamp() for name, at in times.items() if at is not None},
                **{name: text for name, text in errors.items() if text is not None},
            }
        )

    def _lookup_events(self, asked: _Asked, region: str, account_id: str) -> Response:
        start = _time(asked.get("StartTime", 0))
        end = _time(asked["EndTime"]) if "EndTime" in asked else None
        wanted = {
            one["AttributeKey"]: one["AttributeValue"] for one in asked.get("LookupAttributes", [])
        }
        found = []
        for event in reversed(self.world.administration):
            at = datetime.fromisoformat(event["eventTime"])
            about = {"EventName": event["eventName"], "EventSource": event["eventSource"]}
            if (event["recipientAccountId"], event["awsRegion"]) != (account_id, region):
                continue
            if at < start or (end is not None and at > end):
                continue
            if any(about.get(name) != value for name, value in wanted.items()):
                continue
            found.append(
                {
                    **about,
                    "EventId": event["eventID"],
                    "EventTime": at.timestamp(),
                    "ReadOnly": "false",
                    "Username": "operator",
                    "CloudTrailEvent": json.dumps(event),
                }
            )
        first = int(asked.get("NextToken") or 0)
        limit = int(asked.get("MaxResults", 50))
        answer: dict[str, Any] = {"Events": found[first : first + limit]}
        if first + limit < len(found):
            answer["NextToken"] = str(first + limit)
        return json_response(answer)


def _is_named(trail: LabTrail, name: str, region: str) -> bool:
    """Whether `name` means the trail in `region`: its ARN, or its name in its home region."""
    return name == trail.arn or (name == trail.name and trail.home_region == region)


def _described(trail: LabTrail) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Name": trail.name,
        "S3BucketName": trail.bucket,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": trail.multi_region,
        "HomeRegion": trail.home_region,
        "TrailARN": trail.arn,
        "LogFileValidationEnabled": trail.validation,
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
        "IsOrganizationTrail": trail.organization_id is not None,
    }
    if trail.prefix:
        shown["S3KeyPrefix"] = trail.prefix
    if trail.kms_key_id is not None:
        shown["KmsKeyId"] = trail.kms_key_id
    return shown
