"""One GET through libcurl: whole, signed and unaltered, or worth no more than a word."""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pycurl
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import S3Location
from integrity.lab.faults import Fault
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.fast_bucket import FastBucket, is_addressable
from integrity.sources.fast_get import MOST_BYTES, Door, Failure, Get, Got
from integrity.structs import replace
from tests.authority import serving, write_authority
from tests.sources.wire import Answer, Asked, Wire, s3_error, tunnel, wire

OWNER = "111122223333"
REGION = "eu-west-1"
SECRETS = {"AKIAONE": "first secret", "AKIATWO": "second secret"}
KEYS = (
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/a_b-c~d.json.gz",
    "a//b",
    "/leading",
    "trailing/",
    "//",
    "...",
    "with spaces / and more ",
    "+%2F%25 percent",
    "a b+c%d=e@f:(g)!*'~,;$ü",
    '#?&[]{}^|"<>\\`',
    "a/?list-type=2&prefix=x",
    "日本/\U0001f600",
    "line\nbreak\tand\x7fdelete\x00",
    "a/\u2028/b",
    "x" * 1024,
)


@cache
def opened(recipe: AwsRecipe) -> Aws:
    """It takes a while to open one, and nothing but the recipe and the bundle is asked of it."""
    return recipe.open()


def door_to(url: str, *, owner: str | None = OWNER, **asked: float) -> Door:
    """As whoever the environment says, or AKIAONE."""
    session = botocore.session.Session()
    session.set_credentials("AKIAONE", SECRETS["AKIAONE"])
    recipe = AwsRecipe(region=REGION, connect_timeout=2, read_timeout=5)
    return Door(opened(replace(recipe, **asked)), session, url, REGION, owner)  # type: ignore[arg-type]


def fetch(get: Get, rest: str = "/key") -> Got | Failure:
    """What comes of one request."""
    assert get.begin(rest)
    return get.end(perform(get))


def perform(get: Get) -> int:
    """libcurl's number."""
    try:
        get.curl.perform()
    except pycurl.error as error:
        return int(error.args[0])
    return 0


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAONE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["AKIAONE"])


def answered(answer: Answer, *, with_headers: bool = True) -> Got | Failure:
    """What a handle makes of an answer."""
    with wire(lambda _: answer) as server:
        got = fetch(door_to(server.endpoint + "/bucket").handle(with_headers=with_headers))
    assert len(server.asked) == 1
    return got


# What is asked


def signature_of(server: Wire, asked: Asked, token: str | None) -> tuple[str, str]:
    """The signature that it bears, and the one that botocore makes for the same request."""
    said = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/eu-west-1/s3/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        asked.headers["authorization"],
    )
    assert said is not None
    access_key, date, names, signature = said.groups()
    assert asked.headers["x-amz-date"].startswith(date)
    headers = {name: asked.headers[name] for name in names.split(";")}
    must = {name for name in asked.headers if name == "host" or name.startswith("x-amz-")}
    assert must <= headers.keys()
    request = AWSRequest("GET", server.endpoint + asked.path, headers=headers)
    request.context["timestamp"] = asked.headers["x-amz-date"]
    credentials = Credentials(access_key, SECRETS[access_key], token)
    signer = S3SigV4Auth(credentials, "s3", REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signature, signer.signature(text, request)


@pytest.mark.parametrize("token", [None, "a+session/token=="])
@pytest.mark.parametrize("owner", [None, OWNER])
def test_it_is_signed_as_botocore_signs(token: str | None, owner: str | None) -> None:
    assert [key for key in KEYS if not is_addressable(key)] == []
    with wire(lambda _: Answer(200, b"hello")) as server:
        door = door_to(server.endpoint + "/bucket", owner=owner)
        door.session.set_credentials("AKIAONE", SECRETS["AKIAONE"], token)
        get, fast = door.handle(with_headers=False), FastBucket(door, "bucket")
        for key in KEYS:
            assert fast.begin(get, key)
            assert isinstance(get.end(perform(get)), Got)
    assert len(server.asked) == len(KEYS)
    for asked in server.asked:
        signature, expected = signature_of(server, asked, token)
        assert signature == expected
        assert asked.headers.get("x-amz-security-token") == token
        assert asked.headers.get("x-amz-expected-bucket-owner") == owner


def test_the_paths_are_those_that_botocore_asks_for(
    lab: LabServer, world: World, recipe: AwsRecipe
) -> None:
    aws = recipe.open()
    fast = FastBucket.open(aws, aws.client("s3", "us-east-1"), "trail-logs", None)
    get = fast.handle(with_metadata=False)
    for key in KEYS:
        world.objects["trail-logs", key] = StoredObject(key.encode(), world.now)
    lab.sync()
    for key in KEYS:
        assert fast.begin(get, key)
        got = fast.end(get, S3Location("trail-logs", key), perform(get))
        assert not isinstance(got, Failure)
        assert got.content == key.encode()


def test_credentials_that_were_renewed_are_used_by_the_same_handle() -> None:
    with wire(lambda _: Answer(200, b"hello")) as server:
        door = door_to(server.endpoint + "/bucket")
        get = door.handle(with_headers=False)
        for access_key, token in (("AKIAONE", "old"), ("AKIATWO", "new"), ("AKIAONE", None)):
            door.session.set_credentials(access_key, SECRETS[access_key], token)
            assert isinstance(fetch(get), Got)
            asked = server.asked[-1]
            assert f"Credential={access_key}/" in asked.headers["authorization"]
            assert asked.headers.get("x-amz-security-token") == token
            signature, expected = signature_of(server, asked, token)
            assert signature == expected


def test_without_credentials_nothing_is_begun() -> None:
    session = botocore.session.Session()
    session.get_component("credential_provider").providers.clear()
    get = replace(door_to("http://127.0.0.1:9"), session=session).handle(with_headers=False)
    assert not get.begin("/key")
    session.set_credentials("AKIAONE", SECRETS["AKIAONE"])
    assert get.begin("/key")


def test_one_connection_is_kept_for_one_request_after_the_other() -> None:
    seen = set()

    def script(_: Asked) -> Answer:
        seen.add(threading.get_ident())
        return Answer(200, b"hello")

    with wire(script) as server:
        get = door_to(server.endpoint).handle(with_headers=False)
        for _ in range(5):
            assert isinstance(fetch(get), Got)
    assert len(seen) == 1


# What comes


def test_a_whole_answer_is_had_with_its_headers() -> None:
    headers = {"x-amz-meta-Signature": "ab:12 ", "Last-Modified": "Sun, 01 Mar 2026 00:30:00 GMT"}
    got = answered(Answer(200, b"hello", headers))
    assert isinstance(got, Got)
    assert got.body == b"hello"
    assert got.headers["x-amz-meta-signature"] == "ab:12"
    assert got.headers["content-length"] == "5"
    assert got.last_modified == datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


def test_who_does_not_want_headers_has_none() -> None:
    headers = {"x-amz-meta-Signature": "\xe9", "Last-Modified": "Sun, 01 Mar 2026 00:30:00 GMT"}
    got = answered(Answer(200, b"hello", headers), with_headers=False)
    assert got == Got(b"hello", {}, None)


@pytest.mark.parametrize(
    "said", ["yesterday", "Sun, 01 Mar 99999 00:30:00 GMT", "20260301 99999999999999999999"]
)
def test_a_time_that_is_none_is_not_told(said: str) -> None:
    got = answered(Answer(200, b"hello", {"Last-Modified": said}))
    assert isinstance(got, Got)
    assert got.last_modified is None


def test_the_last_day_of_all_is_a_time() -> None:
    got = answered(Answer(200, b"hello", {"Last-Modified": "Fri, 31 Dec 9999 23:59:59 GMT"}))
    assert isinstance(got, Got)
    assert got.last_modified == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_an_answer_does_not_show_in_the_next() -> None:
    answers = [
        Answer(200, b"x" * 100_000, {"x-amz-meta-signature": "one", "Last-Modified": "yesterday"}),
        s3_error(403, "AccessDenied"),
        Answer(200, b"", {"Last-Modified": "Sun, 01 Mar 2026 00:30:00 GMT"}),
        Answer(200, b"hello"),
    ]
    with wire(lambda _: answers.pop(0)) as server:
        get = door_to(server.endpoint).handle(with_headers=True)
        first, second, third, fourth = (fetch(get) for _ in range(4))
    assert isinstance(first, Got)
    assert (len(first.body), first.last_modified) == (100_000, None)
    assert second is Failure.OTHER
    assert isinstance(third, Got)
    assert third.body == b""
    assert isinstance(fourth, Got)
    assert (fourth.body, fourth.last_modified) == (b"hello", None)
    assert "x-amz-meta-signature" not in {*third.headers, *fourth.headers}
    assert get._lines == get._pieces == []


@pytest.mark.parametrize(
    ("status", "worth"),
    [
        *((status, Failure.SLOW_DOWN) for status in (429, 503)),
        *((status, Failure.PASSING) for status in (500, 502, 504, 599)),
        *((status, Failure.OTHER) for status in (201, 206, 400, 403, 404, 407, 416)),
    ],
)
def test_a_refusal_says_whether_to_ask_again(status: int, worth: Failure) -> None:
    assert answered(s3_error(status, "Code")) is worth


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with wire(lambda _: Answer(200, b"elsewhere")) as elsewhere:
        assert answered(Answer(status, headers={"Location": elsewhere.endpoint})) is Failure.OTHER
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"hello", length=9),
        Answer(200, b"hello", length=None),
        Answer(200, b"5\r\nhello\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"}, None),
        Answer(200, b"5\r\nhel", {"Transfer-Encoding": "chunked"}, None),
    ],
    ids=["cut", "until the end", "chunked", "chunked and cut"],
)
@pytest.mark.parametrize("with_headers", [True, False])
def test_bytes_that_nobody_counted_are_no_success(answer: Answer, *, with_headers: bool) -> None:
    assert answered(answer, with_headers=with_headers) is Failure.PASSING


def test_what_is_just_not_too_large_is_had() -> None:
    got = answered(Answer(200, bytes(MOST_BYTES)))
    assert isinstance(got, Got)
    assert len(got.body) == MOST_BYTES


CHUNK = b"%x\r\n%b\r\n" % (MOST_BYTES // 2, bytes(MOST_BYTES // 2))


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        (Answer(200, bytes(MOST_BYTES + 1)), 0),
        (Answer(200, bytes(4 * MOST_BYTES), length=None), MOST_BYTES),
        (Answer(200, 8 * CHUNK, {"Transfer-Encoding": "chunked"}, None), MOST_BYTES),
    ],
    ids=["promised", "until the end", "chunked"],
)
def test_what_is_too_large_is_not_even_held(answer: Answer, most: int) -> None:
    with wire(lambda _: answer) as server:
        get = door_to(server.endpoint).handle(with_headers=True)
        assert get.begin("/key")
        error = perform(get)
        assert sum(map(len, get._pieces)) <= most
        assert get.end(error) is Failure.TOO_LARGE
        assert get._pieces == []


@pytest.mark.parametrize("with_headers", [True, False])
def test_gzip_stays_gzip(*, with_headers: bool) -> None:
    body = gzip.compress(b'{"Records":[]}')
    answer = Answer(200, body, {"Content-Encoding": "gzip"})
    with wire(lambda _: answer) as server:
        got = fetch(door_to(server.endpoint).handle(with_headers=with_headers))
    assert isinstance(got, Got)
    assert got.body == body
    assert "accept-encoding" not in server.asked[0].headers


def test_what_is_said_in_another_encoding_is_for_botocore_to_read() -> None:
    assert answered(Answer(200, b"hello", {"x-amz-meta-Signature": "\xe9"})) is Failure.OTHER


def test_what_an_interim_answer_says_is_not_the_objects() -> None:
    hints = (
        b"HTTP/1.1 103 Early Hints\r\nx-amz-version-id: hint\r\nx-amz-meta-signature: ab\r\n\r\n"
    )
    got = answered(Answer(200, b"hello", {"x-amz-meta-a": "b"}, before=2 * hints))
    assert isinstance(got, Got)
    assert {name for name in got.headers if name.startswith("x-amz")} == {"x-amz-meta-a"}


# Who is asked


def certified(tmp_path: Path) -> tuple[Path, AbstractContextManager[Wire]]:
    """A server with a certificate that nobody knows."""
    authority = tmp_path / "authority.pem"
    write_authority(authority)
    answer = Answer(200, b"hello", {"x-amz-meta-a": "b"})
    return authority, wire(lambda _: answer, serving(authority))


def test_a_certificate_that_nobody_knows_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, server_with = certified(tmp_path)
    with server_with as server:
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, str(authority))
        assert fetch(door_to(server.endpoint).handle(with_headers=False)) is Failure.OTHER
        assert server.asked == []
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
        assert isinstance(fetch(door_to(server.endpoint).handle(with_headers=False)), Got)


@pytest.mark.parametrize("bundle", ["none", "junk", "empty", "directory"])
def test_a_bundle_of_no_use_makes_nobody_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: str
) -> None:
    _, server_with = certified(tmp_path)
    path = tmp_path / bundle
    if bundle == "directory":
        path.mkdir()
    elif bundle != "none":
        path.write_text("" if bundle == "empty" else bundle)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    with server_with as server:
        assert fetch(door_to(server.endpoint).handle(with_headers=False)) is Failure.OTHER
        assert server.asked == []


def test_what_a_proxy_says_is_not_the_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, server_with = certified(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    said = b"HTTP/1.1 200 OK\r\nx-amz-version-id: proxy\r\nx-amz-meta-signature: ab\r\n\r\n"
    with server_with as server, tunnel(server.endpoint, said) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        got = fetch(door_to(server.endpoint).handle(with_headers=True))
        monkeypatch.delenv("HTTPS_PROXY")
    assert isinstance(got, Got)
    assert got.body == b"hello"
    assert {name for name in got.headers if name.startswith("x-amz")} == {"x-amz-meta-a"}


@pytest.mark.parametrize(
    ("settings", "is_proxied"),
    [
        ({}, False),
        ({"HTTP_PROXY": "PROXY"}, True),
        ({"http_proxy": "PROXY"}, True),
        ({"HTTPS_PROXY": "PROXY"}, False),
        ({"ALL_PROXY": "PROXY"}, False),
        ({"HTTP_PROXY": "PROXY", "NO_PROXY": "127.0.0.1"}, False),
        ({"HTTP_PROXY": "PROXY", "NO_PROXY": "*"}, False),
        ({"HTTP_PROXY": "PROXY", "no_proxy": "amazonaws.com"}, True),
        # libcurl would know of networks.
        ({"HTTP_PROXY": "PROXY", "NO_PROXY": "127.0.0.0/8"}, True),
    ],
)
def test_the_way_is_the_one_that_botocore_goes(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], *, is_proxied: bool
) -> None:
    with wire(lambda _: Answer(200, b"there")) as server, wire(lambda _: Answer(200)) as proxy:
        for name, value in settings.items():
            monkeypatch.setenv(name, value.replace("PROXY", proxy.endpoint))
        door = door_to(server.endpoint)
        client: Any = door.session.create_client("s3", REGION, endpoint_url=door.url)
        assert isinstance(fetch(door.handle(with_headers=False)), Got)
        client.get_object(Bucket="bucket", Key="key")["Body"].read()
    assert [len(one.asked) for one in (server, proxy)] == ([0, 2] if is_proxied else [2, 0])
    if is_proxied:
        assert {one.path for one in proxy.asked} == {
            f"{server.endpoint}/key",
            f"{server.endpoint}/bucket/key",
        }


def test_no_other_protocol_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    get = door_to(f"file://{tmp_path}").handle(with_headers=False)
    assert get.begin("/key")
    assert perform(get) == pycurl.E_UNSUPPORTED_PROTOCOL
    assert get._pieces == []
    assert get.end(pycurl.E_UNSUPPORTED_PROTOCOL) is Failure.OTHER


# How long


def test_nobody_there_may_pass() -> None:
    with wire(lambda _: Answer()) as server:
        pass
    assert fetch(door_to(server.endpoint).handle(with_headers=False)) is Failure.PASSING


def lab_door(lab: LabServer, **asked: float) -> Door:
    """To the lab's bucket."""
    door = door_to(lab.endpoint + "/trail-logs", owner=OWNER, **asked)
    return replace(door, region="us-east-1")


def in_seconds(fetching: Callable[[], Got | Failure]) -> tuple[Got | Failure, float]:
    began = time.monotonic()
    return fetching(), time.monotonic() - began


def test_a_silent_server_is_given_up(lab: LabServer, world: World) -> None:
    world.objects["trail-logs", "key"] = StoredObject(b"hello", world.now)
    lab.faults.append(Fault("delay", last=1, seconds=4))
    get = lab_door(lab, read_timeout=1).handle(with_headers=False)
    failure, seconds = in_seconds(lambda: fetch(get))
    assert failure is Failure.PASSING
    assert 0.9 < seconds < 3
    assert isinstance(fetch(get), Got)


def test_what_only_drips_is_given_up(lab: LabServer, world: World) -> None:
    world.objects["trail-logs", "key"] = StoredObject(bytes(100), world.now)
    lab.faults.append(Fault("drip", last=1, size=1, seconds=0.02))
    get = lab_door(lab, transfer_timeout=0.1).handle(with_headers=False)
    failure, seconds = in_seconds(lambda: fetch(get))
    assert failure is Failure.PASSING
    assert 0.09 < seconds < 1
    got = fetch(get)
    assert isinstance(got, Got)
    assert got.body == bytes(100)
