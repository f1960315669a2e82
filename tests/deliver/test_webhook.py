"""A webhook of one's own, against a real receiver on this machine."""

from __future__ import annotations

import hashlib
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from integrity import __version__
from integrity.deliver import https
from integrity.deliver.webhook import MAX_BYTES, Webhook
from integrity.errors import UsageError
from integrity.state import DeliveryError, Message
from integrity.structs import replace
from tests.authority import serving, write_authority
from tests.deliver.receiver import Receiver, receive
from tests.lab_aws import NOW

SECRET = "0123456789abcdef0123456789abcdef"
HEADERS = b"HTTP/1.1 200 OK\r\nX: "
CHUNKED = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as running:
        yield running


@pytest.fixture
def hook(receiver: Receiver) -> Webhook:
    return Webhook(f"{receiver.url}/alarms?team=a", SECRET, lambda: NOW)


def signed(secret: bytes, content: bytes) -> str:
    """HMAC-SHA256 as RFC 2104 writes it down, without the module that the sender uses."""
    key = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + content)
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner.digest()).hexdigest()


def test_the_facts_come_signed(hook: Webhook, receiver: Receiver, message: Message) -> None:
    hook.deliver(message)

    [posted] = receiver.requests
    assert posted.path == "/alarms?team=a"
    assert json.loads(posted.body) == {"message_id": message.id, **message.facts}
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["user-agent"] == f"integrity/{__version__}"
    assert posted.headers["x-integrity-message"] == message.id
    at, _, proof = posted.headers["x-integrity-signature"].partition(",v1=")
    assert at == f"t={int(NOW.timestamp())}"
    assert proof == signed(SECRET.encode(), f"{int(NOW.timestamp())}.".encode() + posted.body)


def test_a_repeat_has_the_same_id(hook: Webhook, receiver: Receiver, message: Message) -> None:
    receiver.answer(500)
    with pytest.raises(DeliveryError, match="status 500, a fault of its own"):
        hook.deliver(message)

    hook.deliver(message)

    first, second = receiver.requests
    assert (first.body, first.headers["x-integrity-message"]) == (
        second.body,
        second.headers["x-integrity-message"],
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_status_of_success_is_one(
    hook: Webhook, receiver: Receiver, message: Message, status: int
) -> None:
    receiver.answer(status)

    hook.deliver(message)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (301, "a redirect, which is not followed"),
        (302, "a redirect, which is not followed"),
        (307, "a redirect, which is not followed"),
        (308, "a redirect, which is not followed"),
        (400, "it does not take what was sent"),
        (401, "check the URL and the secret"),
        (404, "nobody is there: check the URL"),
        (410, "gone for good"),
        (413, "too large"),
        (418, "it refuses"),
        (429, "it asks for fewer messages"),
        (503, "a fault of its own"),
    ],
)
def test_a_refusal_is_told_in_words_of_our_own(
    hook: Webhook, receiver: Receiver, message: Message, status: int, said: str
) -> None:
    receiver.answer(status, b"words of the receiver", Location=f"{receiver.url}/elsewhere")

    with pytest.raises(DeliveryError, match=said) as refused:
        hook.deliver(message)

    assert f"status {status}" in str(refused.value)
    assert "words of" not in str(refused.value)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("wait", "said"), [("30", ", in 30 s"), ("soon\x1b", "messages"), ("9" * 400, ", in 999999 s")]
)
def test_how_long_to_wait_is_told_if_it_is_a_number(
    hook: Webhook, receiver: Receiver, message: Message, wait: str, said: str
) -> None:
    receiver.answer(429, Retry_After=wait)

    with pytest.raises(DeliveryError) as refused:
        hook.deliver(message)

    assert str(refused.value).endswith(said)


def test_what_is_too_long_is_cut_and_says_so(
    hook: Webhook, receiver: Receiver, message: Message
) -> None:
    many = {f"fact {number}": "x" * 900 for number in range(1_000)}

    hook.deliver(replace(message, facts={**message.facts, "subjects": ["x" * 400_000], **many}))

    [posted] = receiver.requests
    assert MAX_BYTES // 2 < len(posted.body) <= MAX_BYTES
    told = json.loads(posted.body)
    assert (told["cut"], told["message_id"]) == (True, message.id)
    assert (told["record_uri"], told["reason"]) == ("s3://records/r.json", "log_hash_mismatch")
    assert "subjects" not in told


def test_an_answer_without_end_is_not_read(
    hook: Webhook, receiver: Receiver, message: Message
) -> None:
    receiver.answer(500, b"x" * 20_000_000)

    with pytest.raises(DeliveryError, match="status 500"):
        hook.deliver(message)


def test_what_was_taken_stays_so_whatever_follows(
    hook: Webhook, receiver: Receiver, message: Message
) -> None:
    receiver.answer(200, b"zz", Transfer_Encoding="chunked")

    hook.deliver(message)


def test_a_refusal_that_breaks_off_is_one(
    hook: Webhook, receiver: Receiver, message: Message
) -> None:
    receiver.answer(404, b"zz\r\n", Transfer_Encoding="chunked")

    with pytest.raises(DeliveryError, match="status 404, nobody is there"):
        hook.deliver(message)


def test_silence_is_given_up_on(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "READ_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(DeliveryError, match="it was silent for"):
            Webhook(f"http://127.0.0.1:{port}/", SECRET, lambda: NOW).deliver(message)


def test_a_connection_that_breaks_off(message: Message) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def end() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.close()

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(DeliveryError, match="the connection broke off; it may have taken it"):
            Webhook(f"http://127.0.0.1:{port}/", SECRET, lambda: NOW).deliver(message)
        thread.join()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "http://10.0.0.1/hook",
        "http://localhost.example.com/",
        "https://user:hush@example.com/",
        "https://hush@example.com/",
        "https://example.com/#hush",
        "https://example.com/hush hush",
        "https://example.com:hush/",
        "https://[hush/",
        "https:///hush",
        "ftp://example.com/hush",
        "file:///hush",
        "hush",
        "",
    ],
)
def test_a_url_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match="expected https://") as refused:
        Webhook(url, SECRET, lambda: NOW)
    assert "hush" not in str(refused.value)


# TLS and proxies


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    write_authority(path)
    return path


@pytest.mark.parametrize("drips", [HEADERS, CHUNKED], ids=["headers", "body"])
@pytest.mark.parametrize("with_tls", [False, True], ids=["plain", "TLS"])
def test_who_answers_a_byte_at_a_time_is_given_up_on(
    *,
    drips: bytes,
    with_tls: bool,
    authority: Path,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(https, "DEADLINE", 0.5)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with dripping(drips, authority if with_tls else None) as url:
        started = time.monotonic()
        with pytest.raises(DeliveryError) as refused:
            Webhook(url, SECRET, lambda: NOW).deliver(message)

    assert time.monotonic() - started < 8
    said = "status 404" if drips == CHUNKED else "not through with it in time"
    assert said in str(refused.value)


@contextmanager
def dripping(start: bytes, authority: Path | None) -> Iterator[str]:
    """A server that says `start`, and then a byte each tenth of a second, for ten seconds."""
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = server.accept()
        if authority is not None:
            connection = serving(authority).wrap_socket(connection, server_side=True)
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(start)
            for _ in range(100):
                time.sleep(0.1)
                connection.sendall(b"1")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    with server:
        yield f"http{'s' if authority else ''}://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


@pytest.fixture
def protected(authority: Path) -> Iterator[Receiver]:
    with receive(serving(authority)) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused(
    protected: Receiver, message: Message
) -> None:
    with pytest.raises(DeliveryError, match="its TLS certificate was not accepted"):
        Webhook(f"{protected.url}/hook", SECRET, lambda: NOW).deliver(message)
    assert protected.requests == []


def test_an_authority_of_ones_own_can_be_named(
    protected: Receiver, authority: Path, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    Webhook(f"{protected.url}/hook", SECRET, lambda: NOW).deliver(message)
    assert len(protected.requests) == 1


class Proxy(BaseHTTPRequestHandler):
    """Joins two connections, for who knows the password."""

    def do_CONNECT(self) -> None:
        if self.headers["Proxy-Authorization"] != "Basic dXNlcjpodXNo":  # user:hush
            self.send_error(407)
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            pair = {self.connection: there, there: self.connection}
            while True:
                for ready in select.select(list(pair), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    pair[ready].sendall(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_proxy_of_the_environment_is_used(
    protected: Receiver,
    authority: Path,
    proxy: int,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    hook = Webhook(f"{protected.url}/hook", SECRET, lambda: NOW)

    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hush@127.0.0.1:{proxy}")
    hook.deliver(message)
    assert len(protected.requests) == 1

    monkeypatch.setenv("HTTPS_PROXY", f"http://user:wrong-hush@127.0.0.1:{proxy}")
    with pytest.raises(DeliveryError, match="the proxy that HTTPS_PROXY names") as refused:
        hook.deliver(message)
    assert "hush" not in str(refused.value)

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hook.deliver(message)
    assert len(protected.requests) == 2


def test_a_proxy_that_accepts_another_certificate_is_no_way_in(
    protected: Receiver, proxy: int, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hush@127.0.0.1:{proxy}")
    with pytest.raises(DeliveryError, match="its TLS certificate was not accepted"):
        Webhook(f"{protected.url}/hook", SECRET, lambda: NOW).deliver(message)


@pytest.mark.parametrize("named", ["ftp://127.0.0.1:1", "http://[", "::", "http://127.0.0.1:1"])
def test_a_proxy_that_is_none(
    protected: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    with pytest.raises(DeliveryError, match="did not take it: "):
        Webhook(f"{protected.url}/hook", SECRET, lambda: NOW).deliver(message)


def test_this_machine_is_never_asked_through_a_proxy(
    hook: Webhook, receiver: Receiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    hook.deliver(message)
    assert len(receiver.requests) == 1
