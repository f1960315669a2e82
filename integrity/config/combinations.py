"""What keys of a configuration have to do with each other, and no single one can show.

It decides from the document as it was written, before its values are typed: so these mistakes are
told together with all others, and a value of the wrong type is the model's to refuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrity.config.audiences import DESTINATIONS
from integrity.config.environment import Path

Mistake = tuple[Path, str]

_ROLES = (
    ("external_id", "role_arn"),
    ("bucket_external_id", "bucket_role_arn"),
    ("keys_external_id", "keys_role_arn"),
)


def check_combinations(tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake: the key that is to be changed, and why."""
    trails = [(number, trail) for number, trail in enumerate(_tables(tree.get("trails")))]
    if tree.get("trails", []) == []:
        yield ("trails",), "there is nothing to watch: expected at least one [[trails]] table"
    for number, trail in trails:
        yield from _of_trail(("trails", number), trail)
    yield from _repeated(trails)
    yield from _of_state(_table(tree, "state"))
    yield from _of_records(_table(tree, "records"), [trail for _, trail in trails])
    yield from _of_notification(tree)
    audited = [trail.get("s3_bucket") for _, trail in trails]
    yield from _of_buckets(_table(tree, "audiences"), audited)


def _of_trail(path: Path, trail: Mapping[str, Any]) -> Iterator[Mistake]:
    for external_id, role in _ROLES:
        if external_id in trail and role not in trail:
            yield (*path, external_id), f"there is no {role} that it could belong to"
    if "keys_file" in trail and "keys_role_arn" in trail:
        yield (*path, "keys_file"), "keys_role_arn says where keys come from: leave one of them out"


def _repeated(trails: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for number, trail in trails:
        arn = trail.get("trail_arn")
        if isinstance(arn, str) and first.setdefault(arn, number) != number:
            yield ("trails", number, "trail_arn"), f"trails[{first[arn]}] is this trail already"


def _of_state(state: Mapping[str, Any]) -> Iterator[Mistake]:
    if "sqlite_path" in state and "dynamodb_table" in state:
        yield ("state", "sqlite_path"), "dynamodb_table keeps the state: leave one of them out"


def _of_records(records: Mapping[str, Any], trails: list[Mapping[str, Any]]) -> Iterator[Mistake]:
    place = records.get("place", "")
    bucket = place[5:].partition("/")[0] if isinstance(place, str) and place[:5] == "s3://" else ""
    if "kms_key_id" in records and not bucket:
        yield ("records", "kms_key_id"), "it is about records in S3, and place is a folder"
    audited = [trail.get("s3_bucket") for trail in trails]
    if bucket and bucket in audited and records.get("same_bucket") is not True:
        yield (
            ("records", "place"),
            f"{bucket} is audited itself: whoever could change the logs could change what is said "
            "of them; choose another bucket, or set same_bucket = true",
        )


def _of_notification(tree: Mapping[str, Any]) -> Iterator[Mistake]:
    audiences = _table(tree, "audiences")
    told = []
    for name in ("security", "operations"):
        audience = _table(audiences, name)
        yield from _of_mail(("audiences", name), audience)
        if any(audience.get(key) for key in DESTINATIONS):
            told.append(name)
    if tree.get("notify") == "none":
        if told:
            yield ("notify",), f"audiences.{told[0]} has a destination: leave one of them out"
    elif "security" not in told:
        yield (
            ("audiences", "security"),
            "nobody would be told: expected a destination, for instance sns_topic_arns = "
            '["arn:aws:sns:us-east-1:111122223333:security"], or notify = "none" at the top',
        )


def _of_buckets(audiences: Mapping[str, Any], audited: list[Any]) -> Iterator[Mistake]:
    for name in ("security", "operations"):
        for number, place in enumerate(_tables(_table(audiences, name).get("s3"))):
            bucket = place.get("bucket")
            if isinstance(bucket, str) and bucket in audited:
                yield (
                    ("audiences", name, "s3", number, "bucket"),
                    f"{bucket} is audited itself: what is written there would be no file of "
                    "CloudTrail's, and be found; choose another bucket",
                )


def _of_mail(path: Path, audience: Mapping[str, Any]) -> Iterator[Mistake]:
    if audience.get("ses_to") and not audience.get("ses_from"):
        yield (*path, "ses_to"), "there is no ses_from that the e-mail could come from"
    for key in ("ses_from", "ses_configuration_set", "ses_region"):
        if audience.get(key) and not audience.get("ses_to"):
            yield (*path, key), "there is no ses_to that e-mail could go to"


def _table(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = tree.get(name)
    return inner if isinstance(inner, dict) else {}


def _tables(array: object) -> list[Mapping[str, Any]]:
    """The tables of an array; what is none of them keeps its place as an empty one."""
    whole = array if isinstance(array, list) else []
    return [table if isinstance(table, dict) else {} for table in whole]
