"""The outbox, a store on disk and real receivers: tried again, given up on, replayed; once each."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from integrity.chain.findings import Outcome
from integrity.chain.model import TimeWindow
from integrity.cli import main
from integrity.config.parse import parse_config
from integrity.service.outbox import Delivered, Outbox, address
from integrity.state import Checkpoint, Commit, Message, RunSummary
from integrity.stores.sqlite import SqliteStore
from integrity.structs import replace
from integrity.wiring.destinations import open_destinations
from tests.deliver.receiver import Receiver, receive
from tests.lab_aws import NOW

SECRET = "0123456789abcdef0123456789abcdef"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as running:
        yield running


def configuration(receiver: Receiver, message: Message) -> str:
    return (
        f'[[trails]]\ntrail_arn = "{message.trail_arn}"\n'
        f'[audiences.security]\nslack_webhook_url = "{receiver.url}/hush/slack"\n'
        f'webhooks = [{{url = "{receiver.url}/hush/hook", secret = "{SECRET}"}}]\n'
    )


@pytest.fixture
def outbox(
    receiver: Receiver, message: Message, tmp_path: Path
) -> Iterator[tuple[Outbox, SqliteStore]]:
    """With one message on its way to Slack and to a webhook, as a configuration names them."""
    config = parse_config(configuration(receiver, message), {})
    destinations, told = open_destinations(config, pytest.fail)
    store = SqliteStore(tmp_path / "state.sqlite")
    store.commit(
        Commit(
            trail_arn=message.trail_arn,
            version=0,
            checkpoint=Checkpoint(
                trail_arn=message.trail_arn,
                attempted=NOW,
                chains=(),
                record_sha256="0" * 64,
                record_uri="s3://records/r.json",
            ),
            incidents=(),
            letters=tuple(address([message], told)),
            run=RunSummary(
                run_id="run",
                started_at=NOW,
                finished_at=NOW,
                window=TimeWindow(NOW - HOUR, NOW),
                outcome=Outcome.INVALID,
                findings=1,
                record_uri="s3://records/r.json",
                record_sha256="0" * 64,
            ),
        )
    )
    yield Outbox(store, destinations, give_up_after=2 * HOUR), store
    store.close()


def paths(receiver: Receiver) -> list[str]:
    return [request.path for request in receiver.requests]


def test_each_place_gets_it_once(outbox: tuple[Outbox, SqliteStore], receiver: Receiver) -> None:
    box, store = outbox

    assert box.deliver(NOW + MINUTE) == Delivered(due=2, sent=2)
    assert box.deliver(NOW + HOUR) == Delivered()

    assert sorted(paths(receiver)) == ["/hush/hook", "/hush/slack"]
    assert list(store.unsent_letters()) == []


def test_what_failed_is_tried_again_and_nothing_else(
    outbox: tuple[Outbox, SqliteStore], receiver: Receiver
) -> None:
    box, store = outbox
    receiver.answer(500)

    assert box.deliver(NOW + MINUTE) == Delivered(due=2, sent=1)
    [failed] = store.unsent_letters()
    assert "status 500, a fault of its own" in failed.last_error
    assert box.deliver(NOW + MINUTE) == Delivered()
    assert box.deliver(NOW + 3 * MINUTE) == Delivered(due=1, sent=1)

    first, *_, again = receiver.requests
    assert (first.path, first.body) == (again.path, again.body)
    assert list(store.unsent_letters()) == []


def test_given_up_on_it_is_kept_and_replayed(
    outbox: tuple[Outbox, SqliteStore],
    receiver: Receiver,
    message: Message,
    caplog: pytest.LogCaptureFixture,
) -> None:
    box, store = outbox
    for _ in range(4):
        receiver.answer(404, b"no_service")
    box.deliver(NOW + MINUTE)
    box.deliver(NOW + 2 * HOUR)

    dead = store.unsent_letters()
    assert [letter.dead for letter in dead] == [True, True]
    assert [letter.destination for letter in dead] == [
        "slack:security",
        "webhook:" + host(receiver),
    ]
    assert box.deliver(NOW + 9 * HOUR) == Delivered()
    for letter in dead:
        store.mark_failed(replace(letter, dead=False, due=NOW + 9 * HOUR))
    assert box.deliver(NOW + 9 * HOUR) == Delivered(due=2, sent=2)

    assert list(store.unsent_letters()) == []
    [hook] = [request for request in receiver.requests[-2:] if request.path == "/hush/hook"]
    assert json.loads(hook.body)["message_id"] == message.id
    told = "".join(str(letter) for letter in dead) + "".join(
        str(r.__dict__) for r in caplog.records
    )
    assert len(caplog.records) == 4
    assert "hush" not in told
    assert SECRET not in told


def host(receiver: Receiver) -> str:
    return receiver.url.removeprefix("http://") + "#1"


def test_a_dead_letter_is_replayed_by_its_command_and_signed_anew(
    outbox: tuple[Outbox, SqliteStore],
    receiver: Receiver,
    message: Message,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    box, store = outbox
    for _ in range(4):
        receiver.answer(500)
    box.deliver(NOW + MINUTE)
    box.deliver(NOW + 2 * HOUR)
    [letter_id] = [one.id for one in store.unsent_letters() if "webhook" in one.destination]
    state = f'[state]\nsqlite_path = "{(tmp_path / "state.sqlite").as_posix()}"\n'
    monkeypatch.setenv("INTEGRITY_CONFIG_TOML", configuration(receiver, message) + state)

    assert main(["outbox", "list"]) == 0
    assert f"{letter_id}\tdead\t2\twebhook:{host(receiver)}\t" in capsys.readouterr().out
    receiver.answer(503)
    assert main(["outbox", "replay", letter_id]) == 3
    assert capsys.readouterr().out == "0 of 1 messages arrived\n"
    assert main(["outbox", "replay", letter_id]) == 0
    assert capsys.readouterr().out == "1 of 1 messages arrived\n"

    last = receiver.requests[-1]
    assert json.loads(last.body)["message_id"] == last.headers["x-integrity-message"] == message.id
    stamp, signature = last.headers["x-integrity-signature"].split(",v1=")
    at = stamp.removeprefix("t=")
    signed = hmac.new(SECRET.encode(), at.encode() + b"." + last.body, hashlib.sha256)
    assert hmac.compare_digest(signed.hexdigest(), signature)
    assert abs(time.time() - int(at)) < 300
    assert [one.destination for one in store.unsent_letters()] == ["slack:security"]
