"""What only the DynamoDB table has: its refusals, its garbage, its retention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from integrity.errors import AccessError, UsageError
from integrity.state import ConflictError
from integrity.stores.documents import PART_BYTES, pack
from integrity.stores.dynamodb import DynamoDbStore
from integrity.structs import replace
from tests.stores.conftest import TABLE, client, make_table
from tests.stores.specimens import (
    ARN,
    DAY,
    HOUR,
    NOW,
    checkpoint,
    commit,
    incident,
    letter,
    run_summary,
    sha256,
)

LEASE = timedelta(minutes=5)


@pytest.fixture
def dynamodb(table: str) -> Any:
    assert table == TABLE
    return client("dynamodb")


@pytest.fixture
def store(dynamodb: Any) -> DynamoDbStore:
    return DynamoDbStore(TABLE, dynamodb)


def keys(dynamodb: Any, pk: str = "") -> list[tuple[str, str]]:
    items = dynamodb.scan(TableName=TABLE)["Items"]
    found = sorted((item["pk"]["S"], item["sk"]["S"]) for item in items)
    return [key for key in found if key[0].startswith(pk)]


@contextmanager
def refusing(dynamodb: Any, operation: str, *errors: Exception) -> Iterator[None]:
    """The next calls of `operation` fail, one with each of `errors`, without being made."""
    left = list(errors)

    def refuse(**_: Any) -> None:
        if left:
            raise left.pop(0)

    event = f"before-call.dynamodb.{operation}"
    dynamodb.meta.events.register(event, refuse)
    yield
    dynamodb.meta.events.unregister(event, refuse)
    assert left == []


def refusal(code: str, operation: str = "PutItem", message: str = "no", **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, **more}
    return ClientError(answer, operation)


def test_a_commit_leaves_nothing_of_older_ones(store: DynamoDbStore, dynamodb: Any) -> None:
    for version in range(4):
        store.commit(commit(version))
    stages = keys(dynamodb, "stage#")
    assert [sk.split("#")[0] for _, sk in stages] == ["000000000004", "000000000004"]


def test_garbage_of_commits_that_lost_is_swept(store: DynamoDbStore, dynamodb: Any) -> None:
    with refusing(dynamodb, "UpdateItem"):
        store.commit(commit())
    # Two ticks have loaded version 1; both stage, one flips.
    late = DynamoDbStore(TABLE, client("dynamodb"))
    done: list[int] = []

    def overtake(params: dict[str, Any], **_: Any) -> None:
        if b'"trails"' in params["body"] and b"ConditionExpression" in params["body"] and not done:
            done.append(1)
            store.commit(commit(1, run=run_summary("fast")))

    late._table._client.meta.events.register("before-call.dynamodb.PutItem", overtake)
    with pytest.raises(ConflictError):
        late.commit(commit(1, letters=(letter("late"),), run=run_summary("late")))
    assert done
    assert len(keys(dynamodb, "stage#")) == 4
    assert store.load(ARN).version == 2
    assert store.unsent_letters() == []
    store.commit(commit(2))
    assert len(keys(dynamodb, "stage#")) == 2
    assert {run.run_id for run in store.list_runs(ARN, limit=9)} == {"run-3", "fast", "run-1"}


def test_a_flip_whose_answer_was_lost_has_won(store: DynamoDbStore, dynamodb: Any) -> None:
    """botocore asks again, and meets what the first request has written."""
    again: list[int] = []

    def lose_answer(model: Any, **_: Any) -> None:
        head = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "trails"}, "sk": {"S": ARN}})
        if "Item" in head and not again:
            again.append(1)
            raise refusal("ConditionalCheckFailedException", model.name)

    dynamodb.meta.events.register("after-call.dynamodb.PutItem", lose_answer)
    store.commit(commit(letters=(letter(),)))
    assert again
    assert store.load(ARN).version == 1
    assert [one.id for one in store.unsent_letters()] == ["one"]


def test_a_reader_that_is_overtaken_reads_again(store: DynamoDbStore) -> None:
    store.commit(commit())
    reader = DynamoDbStore(TABLE, client("dynamodb"))
    done: list[int] = []

    def overtake(**_: Any) -> None:
        if not done:
            done.append(1)
            store.commit(commit(1, state=checkpoint(NOW + HOUR)))

    reader._table._client.meta.events.register("after-call.dynamodb.GetItem", overtake)
    state = reader.load(ARN)
    assert (state.version, state.checkpoint) == (2, checkpoint(NOW + HOUR))


def test_what_is_kept_for_a_while_says_until_when(store: DynamoDbStore, dynamodb: Any) -> None:
    opened, over = incident("open"), incident("over", resolved=NOW)
    store.commit(commit(incidents=(opened, over), letters=(letter("sent"), letter("unsent"))))
    store.mark_sent("sent", NOW)
    items = dynamodb.scan(TableName=TABLE)["Items"]
    ends = {
        item["pk"]["S"].split("#")[0] + "/" + item["sk"]["S"].split("#")[-1]: int(
            item["expires"]["N"]
        )
        for item in items
        if "expires" in item
    }
    now = int(NOW.timestamp())
    assert ends == {
        "letters/sent": now + 30 * 86400,
        "incidents/over": now + 400 * 86400,
        "runs/run-1": now + 40 + 400 * 86400,
    }
    [sent] = [item for item in items if item["sk"]["S"] == "sent"]
    assert "body" not in sent


def test_a_large_state_takes_several_items(store: DynamoDbStore, dynamodb: Any) -> None:
    large = checkpoint(chains=40, recent=48)
    store.commit(commit(state=large))
    assert len([sk for _, sk in keys(dynamodb, "stage#") if "#state#" in sk]) == 3
    state = store.load(ARN)
    assert state.checkpoint == large


def test_parts_fit_into_items() -> None:
    parts = pack(checkpoint(chains=60, recent=48))
    assert [len(part) for part in parts[:-1]] == [PART_BYTES] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= PART_BYTES < 400_000


def test_a_letter_that_fits_into_no_item_stops_the_commit(
    store: DynamoDbStore, dynamodb: Any
) -> None:
    text = "".join(sha256(number) for number in range(20_000))
    large = replace(letter(), message=replace(letter().message, text=text))
    with pytest.raises(AccessError, match="cannot take letter one: packed it is larger"):
        store.commit(commit(letters=(large,)))
    with pytest.raises(AccessError, match="a sort key has 1 to 1,024 bytes"):
        store.commit(commit(letters=(letter("x" * 1025),)))
    assert keys(dynamodb) == []


def test_a_letter_that_is_spread_twice_is_there_once(store: DynamoDbStore, dynamodb: Any) -> None:
    letters = tuple(letter(f"{number:03}") for number in range(101))
    store.commit(commit(letters=letters))
    store.mark_sent("007", NOW)
    # As if the process had died before it could say that it is done.
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": "trails"}, "sk": {"S": ARN}},
        UpdateExpression="SET spread = :no",
        ExpressionAttributeValues={":no": {"BOOL": False}},
    )
    names = [one.id for one in store.unsent_letters()]
    assert len(names) == 100
    assert "007" not in names


def test_transactions_that_meet_are_tried_again(
    store: DynamoDbStore, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    met = refusal(
        "TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}]
    )
    with refusing(dynamodb, "TransactWriteItems", met, met):
        store.commit(commit(letters=(letter(),)))
    assert [one.id for one in store.unsent_letters()] == ["one"]
    assert len(waits) == 2
    with (
        refusing(dynamodb, "TransactWriteItems", *[met] * 6),
        pytest.raises(AccessError, match=r"refused 6 times \(TransactionConflict\)"),
    ):
        store.commit(commit(1, letters=(letter("two"),)))
    # The commit was kept; its letters come with whoever is next.
    assert store.load(ARN).version == 2
    assert [one.id for one in store.unsent_letters()] == ["one", "two"]


def test_a_letter_that_another_is_changing_is_not_claimed(
    store: DynamoDbStore, dynamodb: Any
) -> None:
    store.commit(commit(letters=(letter(),)))
    busy = refusal("TransactionConflictException", "UpdateItem")
    with refusing(dynamodb, "UpdateItem", busy):
        assert store.claim_letters(NOW, lease=LEASE, limit=9) == []
    assert len(store.claim_letters(NOW, lease=LEASE, limit=9)) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            refusal("AccessDeniedException", message="because no identity-based policy allows it"),
            r"dynamodb:PutItem on the table integrity is not allowed \(because no identity",
        ),
        (refusal("ResourceNotFoundException"), "there is none of that name in us-east-1"),
        (refusal("ValidationException", message="bad key"), "its key has to be `pk`"),
        (refusal("ProvisionedThroughputExceededException"), "take on-demand capacity"),
        (refusal("ThrottlingException"), "AWS throttled dynamodb:PutItem"),
        (refusal("ExpiredTokenException"), "renew them"),
        (refusal("InternalServerError"), "try again later"),
        (EndpointConnectionError(endpoint_url="https://x"), "no answer to dynamodb:PutItem"),
    ],
)
def test_a_refusal_names_its_cause(
    store: DynamoDbStore, dynamodb: Any, error: Exception, said: str
) -> None:
    with (
        refusing(dynamodb, "PutItem", error),
        pytest.raises(
            AccessError, match=f"the DynamoDB table integrity could not be used: .*{said}"
        ),
    ):
        store.commit(commit())


def test_a_table_that_is_not_there_is_named(table: str) -> None:
    assert table
    with pytest.raises(AccessError, match="table gone could not be used: there is none"):
        DynamoDbStore("gone", client("dynamodb")).load(ARN)


def test_a_table_with_another_key_is_named(aws: None) -> None:
    assert aws is None
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="other",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(AccessError, match="its key has to be `pk`"):
        DynamoDbStore("other", dynamodb).load(ARN)


def test_two_tables_do_not_know_each_other(store: DynamoDbStore) -> None:
    make_table("second")
    store.commit(commit())
    assert DynamoDbStore("second", client("dynamodb")).load(ARN).version == 0


def change(dynamodb: Any, pk: str, **attributes: Any) -> None:
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        if item["pk"]["S"].startswith(pk):
            kept = {name: value for name, value in {**item, **attributes}.items() if value}
            dynamodb.put_item(TableName=TABLE, Item=kept)


def test_a_newer_schema_is_left_alone(store: DynamoDbStore, dynamodb: Any) -> None:
    store.commit(commit())
    change(dynamodb, "trails", schema={"N": "2"})
    before = dynamodb.scan(TableName=TABLE)["Items"]
    for ask in (
        lambda: store.load(ARN),
        lambda: store.commit(commit(1)),
        lambda: store.claim_letters(NOW, lease=LEASE, limit=1),
    ):
        with pytest.raises(UsageError, match=r"schema version 2 of arn.*knows version 1"):
            ask()
    assert dynamodb.scan(TableName=TABLE)["Items"] == before


@pytest.mark.parametrize(
    ("pk", "attributes"),
    [
        ("trails", {"version": {"S": "1"}}),
        ("trails", {"version": {"N": "1.5"}}),
        ("trails", {"version": None}),
        ("trails", {"stage": {"N": "1"}}),
        ("trails", {"spread": {"S": "yes"}}),
        ("trails", {"stage": {"S": "another"}}),
        ("trails", {"state_parts": {"N": "3"}}),
        ("stage#", {"body": {"B": b"junk"}}),
        ("stage#", {"body": {"S": "text"}}),
        ("stage#", {"body": {"B": pack({"checkpoint": 1})[0]}}),
        ("stage#", {"body": {"B": pack({})[0] + b"more"}}),
        ("stage#", {"body": {"B": pack({})[0][:-1]}}),
        ("stage#", {"body": None}),
    ],
)
def test_an_item_that_we_did_not_write_is_named(
    store: DynamoDbStore, dynamodb: Any, pk: str, attributes: dict[str, Any]
) -> None:
    store.commit(commit())
    change(dynamodb, pk, **attributes)
    with pytest.raises(AccessError, match="table integrity holds what integrity did not write"):
        store.load(ARN)


def test_news_that_others_have_spread_and_swept_are_no_concern(store: DynamoDbStore) -> None:
    store.commit(commit(letters=(letter(),)))
    seen = store._stages.head(ARN)
    assert seen is not None
    store.commit(commit(1))
    store._spread(replace(seen, spread=False))
    assert [one.id for one in store.unsent_letters()] == ["one"]
    assert store.load(ARN).version == 2


def test_news_that_lost_parts_are_named(store: DynamoDbStore, dynamodb: Any) -> None:
    store.commit(commit())
    change(dynamodb, "trails", spread={"BOOL": False}, news_parts={"N": "2"})
    with pytest.raises(AccessError, match=r"news of arn.* without all their parts"):
        store.list_runs(ARN, limit=1)


def test_letters_that_we_did_not_write_are_named(store: DynamoDbStore, dynamodb: Any) -> None:
    store.commit(commit(letters=(letter(),)))
    change(dynamodb, "letters", body={"B": b"junk"})
    with pytest.raises(AccessError, match="did not write"):
        store.claim_letters(NOW + DAY, lease=LEASE, limit=1)
