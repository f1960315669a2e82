"""Who asks, by which clock, and as whom else: what every other check stands on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime, timedelta

from integrity.aws.refusal import is_skewed
from integrity.aws.roles import Role
from integrity.aws.session import Aws, AwsRecipe
from integrity.doctor.asking import Asker, Need, Refused, date_of, headers_of
from integrity.doctor.check import Check, misconfigured, passed, skipped

CLOCK_TOLERANCE = timedelta(minutes=5)
"""Beyond it the clock is told to be wrong; AWS itself refuses at a quarter of an hour."""

_FALLBACK_REGION = "us-east-1"
_SET_CLOCK = (
    "let the machine keep time by NTP (chrony, or the hypervisor's); AWS refuses everything from "
    "15 minutes on (RequestTimeTooSkewed), and hours of digest files are judged by this clock"
)


def examine_caller(aws: Aws, clock: Callable[[], datetime]) -> Generator[Check, None, Asker | None]:
    """Region, clock and credentials; None where AWS takes none of what is asked."""
    if aws.region is None:
        yield misconfigured(
            "region",
            "the service's own",
            "none is configured: state, metrics and e-mail are asked in it",
            "set AWS_REGION to the region that the service runs in",
        )
    elif hint := aws.region_hint(aws.region):
        yield misconfigured(
            "region",
            aws.region,
            hint,
            "set AWS_REGION to a region of AWS (a new one may need a newer boto3)",
        )
        return None
    where = aws.region or _FALLBACK_REGION
    asking = Asker(aws, "the caller", "")
    client = aws.client("sts", where)
    answer = asking.ask(Need("sts:GetCallerIdentity", "*"), client.get_caller_identity)
    now = clock()
    if isinstance(answer, Refused):
        yield _check_clock(date_of(answer.headers), now, is_refused=is_skewed(answer.error))
        yield answer.check("credentials", f"in region {where}")
        return None
    yield _check_clock(date_of(headers_of(answer)), now, is_refused=False)
    yield passed("credentials", answer["Arn"], "AWS knows them; all that follows is asked as it")
    return Asker(aws, answer["Arn"], answer["Account"])


def examine_role(
    asker: Asker, role: Role, recipe: AwsRecipe
) -> Generator[Check, None, Asker | None]:
    """Whether the caller may become the role; None where not."""
    asked = {"RoleArn": role.arn, "RoleSessionName": role.session_name}
    if role.external_id is not None:
        asked["ExternalId"] = role.external_id
    client = asker.aws.client("sts", asker.aws.region or role.region)
    answer = asker.ask(Need("sts:AssumeRole", role.arn), lambda: client.assume_role(**asked))
    if isinstance(answer, Refused):
        given = "the external id that is configured" if role.external_id else "no external id"
        yield answer.check(
            "sts:AssumeRole",
            role.arn,
            todo=f"the role's trust policy has to name {asker.holder}, and to ask for {given}",
        )
        return None
    yield passed("sts:AssumeRole", role.arn, "the role lets the service in")
    return Asker(recipe.open(), role.arn, role.arn.split(":")[4])


def _check_clock(told: datetime | None, now: datetime, *, is_refused: bool) -> Check:
    """`told` is to the second, and on its way for a moment."""
    if told is None:
        return skipped("clock", "this machine's", "AWS's answer did not say what time it is")
    off = now - told
    said = f"{_span(abs(off))} {'ahead of' if off > timedelta(0) else 'behind'} AWS's"
    if is_refused:
        return misconfigured("clock", "this machine's", f"{said}: AWS refuses it", _SET_CLOCK)
    if abs(off) > CLOCK_TOLERANCE:
        return misconfigured("clock", "this machine's", said, _SET_CLOCK)
    return passed("clock", "this machine's", said if off else "as AWS's")


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
