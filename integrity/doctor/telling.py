"""Whether people and CloudWatch would hear, found out without waking anybody.

A topic is looked up, and offered what is no message: by SNS's own rules it delivers nothing without
a `default` text, nor with a subject of 101 characters. So a missing permission shows, but whether a
message would arrive does not. Only who asks for it has one sent, marked as a test in every line, to
every destination. (AWS: SNS API_Publish, API_GetTopicAttributes.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct

from integrity.aws.refusal import REFUSALS
from integrity.deliver.cloudwatch import Metrics
from integrity.doctor.asking import Asker, Need, Refused
from integrity.doctor.check import Check, Trial, failed, misconfigured, passed, skipped
from integrity.errors import UsageError
from integrity.state import Audience, Datapoint, DeliveryError, Message, Step, Unit

METRIC = "DoctorTrial"
"""A metric that no alarm looks at."""

_NOT_SENT = "only a real message would show; --send sends one, marked as a test"
_NO_MESSAGE = frozenset({"InvalidParameter", "InvalidParameterException", "ValidationError"})
_NO_TOPIC = frozenset({"NotFound", "NotFoundException", "ResourceNotFoundException"})


class Place(Struct, frozen=True):
    """A destination of the configuration, by its name, and what its permission is, if it has one.

    `deliver` is there where a message is to be sent.
    """

    name: str
    audience: Audience
    need: Need | None
    deliver: Callable[[Message], None] | None = None


def examine_place_to_tell(
    asker: Asker, place: Place, trail_arn: str, now: datetime
) -> Iterator[Check]:
    """Whether somebody would hear there, and whether the service may tell them."""
    kind, _, where = place.name.partition(":")
    if kind == "sns":
        yield from _examine_topic(asker, where, offer=place.deliver is None)
    elif place.deliver is None:
        yield skipped(f"send to {kind}", place.name, _NOT_SENT)
    if place.deliver is not None:
        yield _send(place, place.deliver, asker.holder, _test(place, trail_arn, now))


def _examine_topic(asker: Asker, arn: str, *, offer: bool) -> Iterator[Check]:
    client = asker.aws.client("sns", arn.split(":")[3])
    looking = Need("sns:GetTopicAttributes", arn)
    answer = asker.ask(looking, lambda: client.get_topic_attributes(TopicArn=arn))
    if isinstance(answer, Refused) and answer.code in _NO_TOPIC:
        yield misconfigured(
            looking.action, arn, "there is no such topic", "set sns_topic_arns to one there is"
        )
        return
    if isinstance(answer, Refused):
        yield answer.check(looking.action, arn, todo="without it nobody knows who would hear")
    else:
        told = answer["Attributes"]
        yield _check_subscriptions(
            arn,
            confirmed=int(told.get("SubscriptionsConfirmed", 0)),
            pending=int(told.get("SubscriptionsPending", 0)),
        )
    if offer:
        yield _check_publish(asker, arn, client.publish)


def _check_subscriptions(arn: str, *, confirmed: int, pending: int) -> Check:
    if confirmed:
        said = f"{confirmed} confirmed, {pending} waiting for it: subscriptions of the topic"
        return passed("sns:GetTopicAttributes", arn, said, trial=Trial.LOOKED_UP)
    waiting = (
        f"{pending} wait for somebody to confirm a mail from AWS" if pending else "none at all"
    )
    return misconfigured(
        "subscription",
        arn,
        f"nobody would hear: the topic has no confirmed subscription ({waiting})",
        "confirm the mail that AWS sent, or subscribe somebody: aws sns subscribe --topic-arn "
        f"{arn} --protocol email --notification-endpoint ADDRESS",
    )


def _check_publish(asker: Asker, arn: str, publish: Callable[..., object]) -> Check:
    need = Need("sns:Publish", arn)
    request = {
        "TopicArn": arn,
        "Subject": "x" * 101,
        "MessageStructure": "json",
        "Message": "{}",
    }
    if arn.endswith(".fifo"):
        request |= {"MessageGroupId": "doctor", "MessageDeduplicationId": "doctor"}
    answer = asker.ask(need, lambda: publish(**request))
    if isinstance(answer, Refused) and answer.code not in _NO_MESSAGE:
        return answer.check(need.action, arn)
    said = "SNS looked at what was no message, and said nothing of a missing permission"
    return passed(need.action, arn, f"{said}; {_NOT_SENT}", trial=Trial.IN_PART)


def examine_metrics(asker: Asker, namespace: str, region: str | None, now: datetime) -> Check:
    """One datapoint, 1, of a metric of its own."""
    need = Need(
        "cloudwatch:PutMetricData",
        "*",
        {"StringEquals": {"cloudwatch:namespace": namespace}},
    )
    point = Datapoint(METRIC, 1.0, Unit.COUNT, now, ())
    where = f"{namespace} in {region or asker.aws.region}"
    try:
        Metrics(asker.aws, namespace, region).put([point])
    except DeliveryError as error:
        return _undelivered(need, where, error, asker.holder)
    return passed(need.action, where, f"a datapoint of {METRIC} was put, which no alarm looks at")


def _send(place: Place, deliver: Callable[[Message], None], holder: str, message: Message) -> Check:
    try:
        deliver(message)
    except DeliveryError as error:
        return _undelivered(place.need, place.name, error, holder)
    name = place.need.action if place.need else f"send to {place.name.partition(':')[0]}"
    return passed(name, place.name, "it took a message that is marked as a test")


def _undelivered(need: Need | None, subject: str, error: DeliveryError, holder: str) -> Check:
    cause = error.__cause__
    if need is not None and isinstance(cause, REFUSALS):
        return Refused(cause, need, holder).check(need.action, subject)
    name = need.action if need else f"send to {subject.partition(':')[0]}"
    if isinstance(cause, UsageError):
        return misconfigured(name, subject, str(error), "")
    return failed(name, subject, str(error))


def _test(place: Place, trail_arn: str, now: datetime) -> Message:
    said = "TEST by `integrity doctor --send`: nothing has happened, and there is nothing to do."
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    return Message(
        id=f"doctor-{stamp}",
        trail_arn=trail_arn,
        incident_id=f"doctor-{stamp}",
        audience=place.audience,
        step=Step.NOTED,
        subject="[integrity] TEST, nothing has happened",
        text=f"{said}\n\nIt shows that {place.audience.value} is told at {place.name}.\n",
        facts={
            "test": True,
            "what": said,
            "audience": place.audience.value,
            "step": Step.NOTED.value,
            "reason": "test",
            "outcome": "valid",
        },
        created_at=now,
    )
