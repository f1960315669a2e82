"""AWS's own word on a trail, region by region, out of the reach of whoever owns the bucket.

GetTrailStatus answers for one source region at a time and knows when it last delivered a digest
there, whatever has become of it since. A region that cannot be asked is a value that says why. What
a status proves about a bucket is not decided here. (AWS: API_GetTrailStatus.)
"""

from __future__ import annotations

from datetime import UTC, datetime

from integrity.aws.refusal import REFUSALS, Call, error_code, explain, is_denied
from integrity.aws.session import Aws
from integrity.chain.model import StatusUnavailable, Trail, TrailStatus
from integrity.chain.names import is_region_name


class TrailStatuses:
    """One trail's status in every region. `now` is when it is asked, before any listing."""

    def __init__(self, aws: Aws, trail: Trail, now: datetime) -> None:
        self._aws = aws
        self._trail = trail
        self._now = now

    def fetch_status(self, region: str) -> TrailStatus | StatusUnavailable:
        """What GetTrailStatus says of the trail in one source region."""
        if not is_region_name(region):
            return StatusUnavailable(region, f"{region!r} is not a region's name")
        arn = self._trail.arn
        try:
            answer = self._aws.client("cloudtrail", region).get_trail_status(Name=arn)
        except REFUSALS as error:
            call = Call("cloudtrail:GetTrailStatus", f"on {arn} in region {region}")
            not_found = error_code(error) == "TrailNotFoundException"
            return StatusUnavailable(region, explain(error, call), not_found, is_denied(error))
        return TrailStatus(
            region=region,
            asked_at=self._now,
            is_logging=answer["IsLogging"],
            latest_digest_delivery=_utc(answer.get("LatestDigestDeliveryTime")),
            latest_digest_error=answer.get("LatestDigestDeliveryError", ""),
            started=_utc(answer.get("StartLoggingTime")),
            stopped=_utc(answer.get("StopLoggingTime")),
        )


def _utc(time: datetime | None) -> datetime | None:
    return time and time.astimezone(UTC)
