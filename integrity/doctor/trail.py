"""What AWS says of a trail and of what it should cover: every question that a tick asks of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor
from typing import Any

from msgspec import Struct

from integrity.chain.model import KeysUnavailable, TimeWindow, Trail
from integrity.doctor.asking import Asker, Need, Refused
from integrity.doctor.check import Check, misconfigured, passed, skipped
from integrity.errors import IntegrityError
from integrity.sources.claimed import TrailArn, claimed_trail, parse_trail_arn
from integrity.sources.public_keys import KeySource
from integrity.sources.trails import TrailDirectory
from integrity.verify.claim import Claim

_MOST_NAMED = 5
_UNEXPLAINED = "no verdict needs it: without it findings are not explained by who did what"
_STAND_IN = "set keys_role_arn or keys_file of the trail, or ignore the region"


class Found(Struct, frozen=True):
    """The trail, as far as it is known; `kms_key_arn` encrypts its files, "" for S3's own key."""

    trail: Trail
    kms_key_arn: str = ""


def examine_trail(asker: Asker, claim: Claim) -> Generator[Check, None, Found | None]:
    """The trail itself; None where nobody knows in which bucket its files lie."""
    arn = parse_trail_arn(claim.name or "")
    assert arn is not None  # noqa: S101 - a configured trail has an ARN
    client = asker.aws.client("cloudtrail", arn.region)
    need = Need("cloudtrail:GetTrail", _trails_of(arn))
    answer = asker.ask(need, lambda: client.get_trail(Name=arn.text))
    if not isinstance(answer, Refused):
        described = answer["Trail"]
        yield passed(need.action, arn.text, "AWS shows the trail")
        yield from _check_settings(arn, described, claim)
        return _found(asker, arn, claim, described)
    if answer.code == "TrailNotFoundException":
        yield misconfigured("cloudtrail:GetTrail", arn.text, *_not_there(asker, arn))
    else:
        yield answer.check("cloudtrail:GetTrail", arn.text)
    if claim.bucket is None:
        return None
    return Found(claimed_trail(arn.text, claim.bucket, claim.prefix or "", claim.organization_id))


def examine_estate(asker: Asker, trail: Trail) -> Iterator[Check]:
    """Regions, other trails, and the organization."""
    home = trail.home_region
    cloudtrail, ec2 = asker.aws.client("cloudtrail", home), asker.aws.client("ec2", home)
    yield _simple(
        asker,
        Need("cloudtrail:ListTrails", "*"),
        lambda: cloudtrail.list_trails(),
        "others that write to the same bucket without digest files can be told apart",
    )
    yield _simple(
        asker,
        Need("ec2:DescribeRegions", "*"),
        lambda: ec2.describe_regions(AllRegions=True),
        "a region whose folders vanish whole will be noticed",
    )
    if not (trail.is_organization or trail.organization_id):
        yield skipped("organization", trail.arn, "it is no organization's trail")
        return
    organizations = asker.aws.client("organizations", home)
    todo = "only the management account and delegated administrators may ask"
    yield _simple(
        asker,
        Need("organizations:DescribeOrganization", "*"),
        lambda: organizations.describe_organization(),
        "the organization's id is known from AWS",
    )
    yield _simple(
        asker,
        Need("organizations:ListAccounts", "*"),
        lambda: organizations.list_accounts(),
        "an account whose folders vanish whole will be noticed",
        todo,
    )


def examine_history(asker: Asker, trail: Trail) -> Check:
    """Whether AWS would say who did what was found: one event of its Event history is asked for."""
    need = Need("cloudtrail:LookupEvents", "*")
    client = asker.aws.client("cloudtrail", trail.home_region)
    answer = asker.ask(need, lambda: client.lookup_events(MaxResults=1))
    subject = f"Event history in {trail.home_region}"
    if isinstance(answer, Refused):
        return answer.check(need.action, subject, is_needed=False, todo=_UNEXPLAINED)
    return passed(need.action, subject, "findings will be explained by who did what")


def examine_statuses(
    asker: Asker, trail: Trail, regions: Iterable[str], executor: Executor
) -> Iterator[Check]:
    """AWS's own word on the trail in every region, which bounds how late its files may be."""
    arn = parse_trail_arn(trail.arn)
    assert arn is not None  # noqa: S101 - a trail has an ARN
    need = Need("cloudtrail:GetTrailStatus", _trails_of(arn))

    def ask(region: str) -> dict[str, Any] | Refused:
        client = asker.aws.client("cloudtrail", region)
        answer: dict[str, Any] | Refused = asker.ask(
            need, lambda: client.get_trail_status(Name=arn.text)
        )
        return answer

    known = {region for region in regions if not asker.aws.region_hint(region)}
    asked = sorted({trail.home_region, *known})
    answers = dict(zip(asked, executor.map(ask, asked), strict=True))
    yield from _by_region(
        need.action, trail.arn, answers, "a head that is cut off can be told from silence"
    )
    status = answers[trail.home_region]
    if not isinstance(status, Refused):
        yield from _check_status(trail, status)


def examine_keys(
    keys: KeySource,
    asker: Asker,
    regions: Iterable[str],
    window: TimeWindow,
    executor: Executor,
) -> Iterator[Check]:
    """CloudTrail's public keys in every source region, and of whoever stands in for it."""
    need = Need("cloudtrail:ListPublicKeys", "*")
    # Anybody who may write into the bucket can name folders like regions.
    asked = sorted(region for region in set(regions) if not asker.aws.region_hint(region))
    strange = sorted(set(regions).difference(asked))
    if strange:
        names = ", ".join(strange[:_MOST_NAMED]) + (", …" if len(strange) > _MOST_NAMED else "")
        yield skipped(need.action, names, "folders of the bucket; no such region is known here")

    def ask(region: str) -> object:
        client = asker.aws.client("cloudtrail", region)
        first = asker.ask(
            need, lambda: client.list_public_keys(StartTime=window.start, EndTime=window.end)
        )
        if isinstance(first, Refused) and not first.is_denied:
            other = keys.fetch_keys(region, window)
            return first if isinstance(other, KeysUnavailable) else other
        return first

    answers = dict(zip(asked, executor.map(ask, asked), strict=True))
    yield from _by_region(
        need.action, "public keys", answers, "signatures can be checked", _STAND_IN
    )


def _trails_of(arn: TrailArn) -> str:
    """What service.yaml grants: all trails of the account, for others explain what is found."""
    partition = arn.text.split(":")[1]
    return f"arn:{partition}:cloudtrail:*:{arn.account_id}:trail/*"


def _simple(
    asker: Asker, need: Need, question: Callable[[], object], gain: str, todo: str = ""
) -> Check:
    answer = asker.ask(need, question)
    if isinstance(answer, Refused):
        return answer.check(need.action, need.resource, todo=todo)
    return passed(need.action, need.resource, gain)


def _by_region(
    name: str, subject: str, answers: dict[str, Any], gain: str, todo: str = ""
) -> Iterator[Check]:
    """A check for all regions that answer, and one for each kind of refusal."""
    fine = [region for region, answer in answers.items() if not isinstance(answer, Refused)]
    if fine:
        yield passed(name, subject, f"{gain}: {len(fine)} of {len(answers)} regions answer")
    refused: dict[str, list[str]] = {}
    for region, answer in answers.items():
        if isinstance(answer, Refused):
            refused.setdefault(answer.code, []).append(region)
    for regions in refused.values():
        first: Refused = answers[regions[0]]
        help_ = "" if first.is_denied else todo
        yield first.check(name, f"{subject} in {', '.join(regions)}", todo=help_)


def _not_there(asker: Asker, arn: TrailArn) -> tuple[str, str]:
    """What is there instead, and what to do."""
    try:
        TrailDirectory(asker.aws).find(arn.text)
        said = f"AWS knows no trail {arn.text} in {arn.region}"
    except IntegrityError as error:
        said = str(error)
    return said, "set trail_arn to the trail's own ARN: the region in it is the trail's home"


def _check_settings(arn: TrailArn, described: dict[str, Any], claim: Claim) -> Iterator[Check]:
    if not described.get("LogFileValidationEnabled"):
        yield misconfigured(
            "log file validation",
            arn.text,
            "it is off: nothing is signed, so nothing can be verified",
            f"aws cloudtrail update-trail --region {arn.region} --name {arn.text} "
            "--enable-log-file-validation",
        )
    writes = described["S3BucketName"]
    if claim.bucket not in (None, writes):
        yield skipped(
            "s3_bucket",
            str(claim.bucket),
            f"AWS delivers to {writes} now: it is no witness of the configured bucket",
        )


def _found(asker: Asker, arn: TrailArn, claim: Claim, described: dict[str, Any]) -> Found:
    """As a tick opens it; what the organization refuses is told by its own check."""
    trail = TrailDirectory(asker.aws).find(arn.text)
    return Found(claim.placed(trail), described.get("KmsKeyId", ""))


def _check_status(trail: Trail, status: dict[str, Any]) -> Iterator[Check]:
    where = f"--region {trail.home_region} --name {trail.arn}"
    if not status["IsLogging"]:
        yield misconfigured(
            "logging", trail.arn, "the trail does not log", f"aws cloudtrail start-logging {where}"
        )
    if error := status.get("LatestDigestDeliveryError", ""):
        yield misconfigured(
            "delivery",
            trail.arn,
            f"CloudTrail cannot deliver digest files to {trail.bucket}: {error[:200]}",
            "the bucket's policy and key have to let cloudtrail.amazonaws.com write: "
            "deploy/trail.yaml shows both",
        )
