"""Objects in S3: what is there, what is not, and what nobody can say anything about."""

from __future__ import annotations

import dataclasses
import gzip
import os
import pickle
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.errors import UsageError
from integrity.lab.faults import Fault
from integrity.lab.objects import StoredObject
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.fast_bucket import FastBucket
from integrity.sources.fast_get import Failure
from integrity.sources.s3 import S3Recipe, S3Source
from integrity.sources.throttle import Paces
from integrity.structs import replace
from integrity.verify.ports import ObjectSource
from tests.sources.wire import Answer, Asked, Script, s3_error, wire

BUCKET = "trail-logs"
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/a.json.gz"
WHEN = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
BODY = gzip.compress(b'{"Records":[]}')
ODD_KEYS = (
    "a//b",
    "/leading",
    "trailing/",
    "//",
    "a/./b",
    "a/../b",
    "..",
    "with spaces / and more",
    "+%2F%25 percent",
    "a b+c%d=e@f:(g)!*'~ü",
    '#?&[]{}^|"<>\\`',
    "日本/\U0001f600",
    "line\nbreak\tand\x7fdelete",
    "a/\u2028/b",
    "x" * 1024,
)


def read_all(pieces: Iterable[bytes | memoryview]) -> bytes:
    return b"".join(pieces)


def put(world: World, key: str = KEY, body: bytes = BODY, **more: object) -> S3Location:
    world.objects[BUCKET, key] = dataclasses.replace(StoredObject(body, WHEN), **more)  # type: ignore[arg-type]
    return S3Location(BUCKET, key)


@pytest.fixture
def source(aws: Aws) -> S3Source:
    return S3Source(aws)


@pytest.fixture(params=["libcurl", "botocore"])
def either(request: pytest.FixtureRequest, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> S3Source:
    """The source as it is, and as it is where libcurl cannot be used at all."""
    if request.param == "botocore":
        monkeypatch.setattr(FastBucket, "open", lambda *_: None)
    return S3Source(aws)


@pytest.fixture
def patient(either: S3Source, recipe: AwsRecipe) -> S3Source:
    """Either of them with three attempts."""
    assert either is not None
    return S3Source(replace(recipe, attempts=3).open())


def listing(source: S3Source, bucket: str, prefix: str) -> tuple[Listed, ...] | Unreachable:
    """A whole listing, or what broke it off."""
    answers = list(source.list_objects(bucket, prefix))
    broken = [answer for answer in answers if isinstance(answer, Unreachable)]
    return broken[0] if broken else tuple(a for a in answers if isinstance(a, Listed))


def test_the_source_is_what_verification_needs(source: S3Source) -> None:
    port: ObjectSource = source
    assert port is source


class TestFetch:
    def test_hands_over_the_stored_bytes_and_what_s3_says_of_them(
        self, either: S3Source, world: World
    ) -> None:
        location = put(
            world, metadata={"Signature": "ab12", "signature-algorithm": "SHA256withRSA"}
        )
        assert either.fetch(location, read_all) == Fetched(
            location=location,
            content=BODY,
            metadata={"signature": "ab12", "signature-algorithm": "SHA256withRSA"},
            last_modified=WHEN,
            version_id=None,
            size=len(BODY),
        )

    def test_goes_through_libcurl_and_asks_for_the_region_once(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        location = put(world)
        with ThreadPoolExecutor(8) as pool:
            fetched = list(pool.map(lambda _: source.fetch(location, read_all), range(40)))
        assert {isinstance(one, Fetched) for one in fetched} == {True}
        assert lab.requests.by_operation == {"HeadBucket": 1, "GetObject": 40}

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_reads_the_very_key_that_was_asked_for(
        self, source: S3Source, world: World, key: str
    ) -> None:
        for decoy in (key.strip("/"), key.replace("//", "/"), key.strip("/.")):
            if decoy:
                put(world, decoy, b"decoy")
        location = put(world, key)
        fetched = source.fetch(location, read_all)
        assert isinstance(fetched, Fetched)
        assert (fetched.location, fetched.content) == (location, BODY)

    @pytest.mark.parametrize("key", ["", "x" * 1025, "ü" * 513, "lone \ud800 surrogate"])
    def test_no_object_has_a_name_that_s3_cannot_give(
        self, source: S3Source, lab: LabServer, key: str
    ) -> None:
        location = S3Location(BUCKET, key)
        assert source.fetch(location, read_all) == Absent(location)
        assert lab.requests.total == 0

    def test_an_object_that_is_not_there_is_absent(self, either: S3Source) -> None:
        location = S3Location(BUCKET, KEY)
        assert either.fetch(location, read_all) == Absent(location)

    def test_a_bucket_that_is_not_there_holds_nothing(self, either: S3Source) -> None:
        location = S3Location("no-such-bucket-here", KEY)
        assert either.fetch(location, read_all) == Absent(location)

    @pytest.mark.parametrize("bucket", ["", "a/b", "arn:aws:s3:us-east-1:1:accesspoint/x", "a\nb"])
    def test_a_bucket_of_an_impossible_name_is_never_asked_for(
        self, source: S3Source, lab: LabServer, bucket: str
    ) -> None:
        location = S3Location(bucket, KEY)
        unreachable = Unreachable(location, f"{bucket!r} is not a bucket's name")
        assert source.fetch(location, read_all) == unreachable
        assert isinstance(listing(source, bucket, "AWSLogs/"), Unreachable)
        assert lab.requests.total == 0

    def test_an_empty_object_is_read(self, either: S3Source, world: World) -> None:
        fetched = either.fetch(put(world, body=b""), read_all)
        assert isinstance(fetched, Fetched)
        assert (fetched.content, fetched.size) == (b"", 0)

    def test_a_large_object_comes_in_pieces(self, either: S3Source, world: World) -> None:
        body = os.urandom(1024) * (9 * 1024)
        sizes: list[int] = []

        def read(pieces: Iterable[bytes | memoryview]) -> bool:
            whole = b""
            for piece in pieces:
                sizes.append(len(piece))
                whole += piece
            return whole == body

        fetched = either.fetch(put(world, body=body), read)
        assert isinstance(fetched, Fetched)
        assert fetched.content
        assert fetched.size == len(body)
        assert len(sizes) > 4
        assert max(sizes) < 5 * 1024 * 1024

    def test_a_reader_may_stop_early(self, either: S3Source, world: World) -> None:
        location = put(world, body=bytes(9 * 1024 * 1024))
        fetched = either.fetch(location, lambda pieces: bytes(next(iter(pieces))[:3]))
        assert isinstance(fetched, Fetched)
        assert (fetched.content, fetched.size) == (bytes(3), 9 * 1024 * 1024)
        assert isinstance(either.fetch(put(world, "next"), read_all), Fetched)

    @pytest.mark.parametrize("error", [ValueError("a bug"), OSError("a bug"), KeyError("a bug")])
    def test_a_fault_of_the_reader_is_nobody_elses(
        self, either: S3Source, world: World, lab: LabServer, error: Exception
    ) -> None:
        def read(pieces: Iterable[bytes | memoryview]) -> None:
            read_all(pieces)
            raise error

        location = put(world)
        with pytest.raises(type(error), match="a bug"):
            either.fetch(location, read)
        assert lab.requests.by_operation["GetObject"] == 1


class TestRefusal:
    def test_denied_names_the_permission_and_what_else_it_can_mean(
        self, either: S3Source, world: World, lab: LabServer
    ) -> None:
        location = put(world)
        lab.faults.append(Fault("deny", operation="GetObject"))
        unreachable = either.fetch(location, read_all)
        assert isinstance(unreachable, Unreachable)
        assert unreachable.detail == (
            f"s3:GetObject on arn:aws:s3:::{BUCKET}/{KEY} is not allowed; without s3:ListBucket on "
            "the bucket S3 says the same of what is not there"
        )

    def test_without_list_bucket_an_absent_object_is_not_called_absent(
        self, source: S3Source, lab: LabServer
    ) -> None:
        lab.s3.hide_absent = True
        unreachable = source.fetch(S3Location(BUCKET, KEY), read_all)
        assert isinstance(unreachable, Unreachable)
        assert "s3:ListBucket" in unreachable.detail

    def test_another_owner_than_the_expected_one_is_told(self, aws: Aws, world: World) -> None:
        source = S3Source(aws, expected_bucket_owner="999900001111")
        unreachable = source.fetch(put(world), read_all)
        assert isinstance(unreachable, Unreachable)
        assert "not account 999900001111's" in unreachable.detail
        listed = listing(source, BUCKET, "AWSLogs/")
        assert isinstance(listed, Unreachable)
        assert "not account 999900001111's" in listed.detail

    def test_the_expected_owner_is_named_in_every_call(self, aws: Aws, world: World) -> None:
        source = S3Source(aws, expected_bucket_owner="111122223333")
        assert isinstance(source.fetch(put(world), read_all), Fetched)
        assert isinstance(listing(source, BUCKET, "AWSLogs/"), tuple)

    def test_an_expected_owner_that_is_no_account_is_refused(self, aws: Aws) -> None:
        with pytest.raises(UsageError, match="12 digits"):
            S3Source(aws, expected_bucket_owner="1111-2222-3333")

    def test_archived_says_in_which_class_and_what_to_do(
        self, either: S3Source, world: World
    ) -> None:
        unreachable = either.fetch(put(world, storage_class="DEEP_ARCHIVE"), read_all)
        assert isinstance(unreachable, Unreachable)
        assert "archived (storage class DEEP_ARCHIVE)" in unreachable.detail
        assert "restore-object" in unreachable.detail

    def test_a_key_that_may_not_be_used_names_kms_decrypt(
        self, either: S3Source, world: World, lab: LabServer
    ) -> None:
        location = put(world)
        lab.faults.append(Fault("kms", operation="GetObject"))
        unreachable = either.fetch(location, read_all)
        assert isinstance(unreachable, Unreachable)
        assert unreachable.detail.startswith("kms:Decrypt on the key of the object is not allowed")
        assert "s3:ListBucket" not in unreachable.detail

    def test_throttled_for_a_while_is_read(
        self, either: S3Source, world: World, lab: LabServer
    ) -> None:
        location = put(world)
        lab.faults.append(Fault("throttle", operation="GetObject", last=1))
        assert isinstance(either.fetch(location, read_all), Fetched)

    @pytest.mark.parametrize(
        ("action", "said"),
        [("throttle", "AWS throttled s3:GetObject on"), ("error", "AWS failed to answer")],
    )
    def test_trouble_without_end_is_unreachable(
        self,
        recipe: AwsRecipe,
        world: World,
        lab: LabServer,
        action: str,
        said: str,
    ) -> None:
        source = S3Source(replace(recipe, attempts=1).open())
        location = put(world)
        lab.faults.append(Fault(action, operation="GetObject"))  # type: ignore[arg-type]
        unreachable = source.fetch(location, read_all)
        assert isinstance(unreachable, Unreachable)
        assert said in unreachable.detail

    def test_a_reset_connection_is_tried_again(
        self, either: S3Source, world: World, lab: LabServer
    ) -> None:
        location = put(world)
        lab.faults.append(Fault("reset", operation="GetObject", last=1))
        assert isinstance(either.fetch(location, read_all), Fetched)

    def test_a_connection_that_is_always_reset_is_unreachable(
        self, either: S3Source, world: World, lab: LabServer
    ) -> None:
        location = put(world)
        lab.faults.append(Fault("reset", operation="GetObject"))
        unreachable = either.fetch(location, read_all)
        assert isinstance(unreachable, Unreachable)
        assert "no answer to s3:GetObject" in unreachable.detail

    @pytest.mark.parametrize("size", [100, 9 * 1024 * 1024])
    @pytest.mark.parametrize("times", [1, 2])
    def test_a_body_that_was_cut_is_read_again_from_its_first_byte(
        self, patient: S3Source, world: World, lab: LabServer, size: int, times: int
    ) -> None:
        body = os.urandom(size)
        lab.faults.append(Fault("cut-short", operation="GetObject", last=times, size=size // 2))
        fetched = patient.fetch(put(world, body=body), read_all)
        assert isinstance(fetched, Fetched)
        assert fetched.content == body

    @pytest.mark.parametrize("size", [100, 9 * 1024 * 1024])
    def test_a_body_that_is_always_cut_is_never_a_success(
        self, either: S3Source, world: World, lab: LabServer, size: int
    ) -> None:
        location = put(world, body=bytes(size))
        lab.faults.append(Fault("cut-short", operation="GetObject", size=5))
        unreachable = either.fetch(location, read_all)
        assert isinstance(unreachable, Unreachable)
        assert unreachable.detail.startswith("the transfer broke every time (")
        assert f"of {size} bytes came" in unreachable.detail

    def test_an_object_that_only_drips_is_given_up_in_time(
        self, either: S3Source, recipe: AwsRecipe, world: World, lab: LabServer
    ) -> None:
        assert either is not None
        source = S3Source(replace(recipe, transfer_timeout=0.1).open())
        location = put(world, body=bytes(20))
        lab.faults.append(Fault("drip", operation="GetObject", size=1, seconds=0.02))
        unreachable = source.fetch(location, read_all)
        assert isinstance(unreachable, Unreachable)
        assert "it takes longer than 0.1 seconds" in unreachable.detail

    def test_a_bucket_in_another_region_is_asked_there(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        world.add_bucket("elsewhere", region="eu-south-2", owner="111122223333")
        world.objects["elsewhere", KEY] = StoredObject(BODY, WHEN)
        assert isinstance(source.fetch(S3Location("elsewhere", KEY), read_all), Fetched)
        assert lab.requests.by_region["GetObject", "eu-south-2"] == 1
        assert lab.requests.by_region["GetObject", "us-east-1"] == 0

    def test_a_region_that_nobody_tells_is_found_by_s3s_own_redirects(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        world.add_bucket("elsewhere", region="eu-south-2", owner="111122223333")
        world.objects["elsewhere", KEY] = StoredObject(BODY, WHEN)
        lab.faults.append(Fault("reset", operation="HeadBucket", last=2))
        assert isinstance(source.fetch(S3Location("elsewhere", KEY), read_all), Fetched)


class TestWire:
    """What S3 itself never says, or the lab does not."""

    def pretend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def fetch(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, script: Script
    ) -> tuple[Fetched[bytes] | Absent | Unreachable, list[Asked]]:
        def answer(asked: Asked) -> Answer:
            told = script(asked)
            if asked.method == "HEAD" and "x-amz-bucket-region" not in told.headers:
                return Answer(headers={"x-amz-bucket-region": "eu-west-1"})
            return told

        self.pretend(monkeypatch)
        with wire(answer) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.endpoint)
            source = S3Source(recipe.open(), expected_bucket_owner="111122223333")
            return source.fetch(S3Location(BUCKET, "key"), read_all), server.asked

    def test_both_clients_ask_the_same_way(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = s3_error(404, "NoSuchKey")
        absent, asked = self.fetch(recipe, monkeypatch, lambda _: answer)
        assert isinstance(absent, Absent)
        gets = [one for one in asked if one.method == "GET"]
        assert [one.path for one in gets] == [f"/{BUCKET}/key", f"/{BUCKET}/key"]
        for one in gets:
            assert one.headers["x-amz-expected-bucket-owner"] == "111122223333"
            assert "/eu-west-1/s3/aws4_request" in one.headers["authorization"]
            assert "gzip" not in one.headers.get("accept-encoding", "")

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (Answer(404, b"<html>Not found</html>"), "was refused (without an error of AWS"),
            (Answer(404), "was refused (404"),
            (Answer(403), "is not allowed; without s3:ListBucket"),
            (s3_error(400, "KMS.DisabledException"), "the KMS key of the object cannot be used"),
            (
                s3_error(
                    403,
                    "AccessDenied",
                    "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on "
                    "resource: arn:aws:kms:eu-west-1:1:key/k because no identity-based policy "
                    "allows the kms:Decrypt action",
                ),
                "kms:Decrypt on the key arn:aws:kms:eu-west-1:1:key/k is not allowed",
            ),
            (
                s3_error(
                    403,
                    "AccessDenied",
                    "User: arn:aws:iam::1:user/a is not authorized to perform: s3:GetObject on "
                    "resource: x with an explicit deny in a service control policy",
                ),
                "is not allowed (with an explicit deny in a service control policy)",
            ),
            (s3_error(400, "ExpiredToken"), "the credentials have expired (ExpiredToken)"),
            (s3_error(403, "InvalidAccessKeyId"), "AWS does not accept the credentials"),
            (s3_error(403, "RequestTimeTooSkewed"), "this machine's clock differs"),
            (
                s3_error(403, "InvalidObjectState"),
                "archived (storage class GLACIER or DEEP_ARCHIVE",
            ),
            (s3_error(400, "InvalidURI", "\x9b31m\nbad"), "was refused (InvalidURI: ?31m bad)"),
        ],
    )
    def test_a_refusal_becomes_a_sentence(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, answer: Answer, said: str
    ) -> None:
        unreachable, _ = self.fetch(recipe, monkeypatch, lambda _: answer)
        assert isinstance(unreachable, Unreachable)
        assert said in unreachable.detail

    @pytest.mark.parametrize("length", [None, 2, 9])
    def test_a_body_of_unknown_or_wrong_length_is_never_a_success(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, length: int | None
    ) -> None:
        headers = {"Transfer-Encoding": "chunked"} if length is None else {}
        body = b"5\r\nhello\r\n0\r\n\r\n" if length is None else b"hello"
        answer = Answer(200, body, headers, length)
        fetched, _ = self.fetch(recipe, monkeypatch, lambda _: answer)
        if length == 2:
            # What comes after the promised bytes is no part of the answer.
            assert isinstance(fetched, Fetched)
            assert fetched.content == b"he"
        else:
            assert isinstance(fetched, Unreachable)
            assert "the transfer broke every time" in fetched.detail

    def test_an_answer_that_libcurl_cannot_take_is_asked_again(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        headers = {
            "x-amz-meta-Signature": "\xe9",
            "x-amz-version-id": "v1",
            "Last-Modified": "Sun, 01 Mar 2026 00:30:00 GMT",
        }
        fetched, asked = self.fetch(recipe, monkeypatch, lambda _: Answer(200, b"hello", headers))
        assert isinstance(fetched, Fetched)
        assert fetched.metadata == {"signature": "\xe9"}
        assert (fetched.version_id, fetched.last_modified) == ("v1", WHEN)
        assert [one.method for one in asked] == ["HEAD", "GET", "GET"]

    @pytest.mark.parametrize("status", [301, 400, 403])
    def test_the_region_is_read_out_of_a_refusal_too(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        def script(asked: Asked) -> Answer:
            if asked.method == "HEAD":
                return Answer(status, headers={"x-amz-bucket-region": "eu-west-1"})
            return Answer(200, b"hello")

        fetched, asked = self.fetch(recipe, monkeypatch, script)
        assert isinstance(fetched, Fetched)
        (got,) = (one for one in asked if one.method == "GET")
        assert "libcurl" in got.headers["user-agent"]
        assert "/eu-west-1/s3/aws4_request" in got.headers["authorization"]

    @pytest.mark.parametrize(("well", "fast"), [("never", 16), ("at times", 30)])
    def test_libcurl_is_left_alone_when_it_only_fails_where_botocore_reads(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch, well: str, fast: int
    ) -> None:
        def script(asked: Asked) -> Answer:
            if asked.method == "HEAD":
                return Answer(headers={"x-amz-bucket-region": "eu-west-1"})
            if "libcurl" not in asked.headers["user-agent"]:
                return Answer(200, b"hello")
            tries.append(asked)
            works = well == "at times" and len(tries) % 10 == 0
            return Answer(200, b"hello") if works else s3_error(407, "Proxy")

        tries: list[Asked] = []
        self.pretend(monkeypatch)
        with wire(script) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
            source = S3Source(recipe.open())
            for _ in range(30):
                assert isinstance(source.fetch(S3Location(BUCKET, "key"), read_all), Fetched)
        assert len(tries) == fast

    def test_libcurl_goes_where_botocore_goes_and_through_the_same_proxy(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.pretend(monkeypatch)
        monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        with wire(lambda _: Answer(403)) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.endpoint)
            monkeypatch.setenv("HTTPS_PROXY", server.endpoint)
            aws = AwsRecipe(region="eu-west-1", attempts=1).open()
            fast = FastBucket.open(aws, aws.client("s3"), BUCKET, None)
            assert fast is not None
            assert fast.fetch("key", read_all, Paces(1).of(BUCKET, "key")) is Failure.PASSING
        assert [(one.method, one.path) for one in server.asked] == [
            ("CONNECT", f"{BUCKET}.s3.eu-west-1.amazonaws.com:443")
        ]

    def test_nobody_there_is_unreachable(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with wire(lambda _: Answer()) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        self.pretend(monkeypatch)
        source = S3Source(recipe.open())
        unreachable = source.fetch(S3Location(BUCKET, "key"), read_all)
        assert isinstance(unreachable, Unreachable)
        assert "Could not connect to the endpoint URL" in unreachable.detail
        assert isinstance(source.list_folders(BUCKET, "AWSLogs/"), Unreachable)


class TestListing:
    def test_lists_everything_below_a_folder_over_all_pages(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        keys = [f"AWSLogs/{number:04}.gz" for number in range(1, 1202)]
        for key in [*keys, "AWSLogs2/x", "AWSLog"]:
            put(world, key)
        listed = listing(source, BUCKET, "AWSLogs/")
        assert isinstance(listed, tuple)
        assert [one.location.key for one in listed] == keys
        assert lab.requests.by_operation["ListObjectsV2"] == 2

    def test_says_what_s3_says_of_each(self, source: S3Source, world: World) -> None:
        location = put(world, storage_class="GLACIER")
        etag = world.objects[BUCKET, KEY].etag
        assert listing(source, BUCKET, "AWSLogs/") == (
            Listed(location, len(BODY), WHEN, etag, "GLACIER"),
        )

    def test_says_of_what_is_archived_whether_it_can_be_read(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        for key in ("AWSLogs/1", "AWSLogs/2"):
            put(world, key, storage_class="DEEP_ARCHIVE")
        lab.s3.restored.add((BUCKET, "AWSLogs/2"))
        listed = list(source.list_objects(BUCKET, "AWSLogs/"))
        assert [isinstance(one, Listed) and one.restored for one in listed] == [False, True]

    def test_a_listing_that_does_not_go_on_is_not_taken_for_the_whole(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for token in ("", "<NextContinuationToken>again</NextContinuationToken>"):
            page = f"<ListBucketResult><IsTruncated>true</IsTruncated>{token}</ListBucketResult>"
            with wire(lambda _, page=page: Answer(200, page.encode())) as server:  # type: ignore[misc]
                monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
                monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
                monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
                (last,) = S3Source(recipe.open()).list_objects(BUCKET, "AWSLogs/")
            assert isinstance(last, Unreachable)
            assert "does not go on" in last.detail

    def test_an_empty_answer_is_not_an_empty_folder(
        self, recipe: AwsRecipe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with wire(lambda _: Answer(200)) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            source = S3Source(recipe.open())
            (last,) = source.list_objects(BUCKET, "AWSLogs/")
            assert isinstance(last, Unreachable)
            assert isinstance(source.list_folders(BUCKET, "AWSLogs/"), Unreachable)

    def test_odd_keys_are_listed_as_they_are(self, source: S3Source, world: World) -> None:
        keys = {f"odd/{key}"[:1024] for key in ODD_KEYS}
        for key in keys:
            put(world, key)
        listed = listing(source, BUCKET, "odd/")
        assert isinstance(listed, tuple)
        assert {one.location.key for one in listed} == keys

    def test_folders_are_the_names_that_have_keys_below(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        lab.s3.page_size = 2
        for key in ("a/", "b/x", "b/y", "c d+%/x/y", "e//x", "//x", "file"):
            put(world, f"AWSLogs/{key}")
        assert source.list_folders(BUCKET, "AWSLogs/") == ("", "a", "b", "c d+%", "e")

    def test_no_such_bucket_holds_nothing(self, source: S3Source) -> None:
        assert listing(source, "no-such-bucket-here", "AWSLogs/") == ()
        assert source.list_folders("no-such-bucket-here", "AWSLogs/") == ()

    def test_denied_names_the_permission(self, source: S3Source, lab: LabServer) -> None:
        lab.faults.append(Fault("deny", operation="ListObjectsV2"))
        assert listing(source, BUCKET, "AWSLogs/") == Unreachable(
            S3Location(BUCKET, "AWSLogs/"), f"s3:ListBucket on arn:aws:s3:::{BUCKET} is not allowed"
        )

    def test_a_page_that_fails_fails_the_whole(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        lab.s3.page_size = 1
        put(world, "AWSLogs/1")
        put(world, "AWSLogs/2")
        lab.faults.append(Fault("error", operation="ListObjectsV2", first=2))
        assert isinstance(listing(source, BUCKET, "AWSLogs/"), Unreachable)

    def test_a_page_that_fails_once_is_asked_again(
        self, source: S3Source, world: World, lab: LabServer
    ) -> None:
        lab.s3.page_size = 1
        put(world, "AWSLogs/1")
        put(world, "AWSLogs/2")
        lab.faults.append(Fault("reset", operation="ListObjectsV2", first=2, last=2))
        listed = listing(source, BUCKET, "AWSLogs/")
        assert isinstance(listed, tuple)
        assert len(listed) == 2


class TestRecipe:
    def test_a_recipe_travels_and_opens_elsewhere(self, lab: LabServer, world: World) -> None:
        recipe = S3Recipe(aws=AwsRecipe(region="us-east-1"), expected_bucket_owner="111122223333")
        travelled = pickle.loads(pickle.dumps(recipe))
        assert travelled == recipe
        assert isinstance(travelled.open().fetch(put(world), read_all), Fetched)
        assert lab.requests.by_operation["GetObject"] == 1

    def test_the_s3_endpoint_alone_steers_both_clients(
        self, lab: LabServer, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", lab.endpoint)
        source = S3Recipe(aws=AwsRecipe(attempts=1)).open()
        assert isinstance(source.fetch(put(world), read_all), Fetched)
        assert isinstance(source.fetch(put(world, "a//b"), read_all), Fetched)
        assert lab.requests.by_operation == {"HeadBucket": 1, "GetObject": 2}

    def test_a_profiles_services_steer_both_clients(
        self, lab: LabServer, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        config = tmp_path / "config"
        config.write_text(
            "[profile audit]\nregion = us-east-1\nservices = lab\n"
            "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n"
            f"[services lab]\ns3 =\n  endpoint_url = {lab.endpoint}\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        source = S3Recipe(aws=AwsRecipe(profile="audit", attempts=1)).open()
        assert isinstance(source.fetch(put(world), read_all), Fetched)
        assert lab.requests.by_operation == {"HeadBucket": 1, "GetObject": 1}

    def test_libcurl_obeys_nothing_in_the_environment_that_botocore_does_not(
        self, lab: LabServer, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", lab.endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
        monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
        source = S3Recipe(aws=AwsRecipe(attempts=1)).open()
        assert isinstance(source.fetch(put(world), read_all), Fetched)
        assert lab.requests.by_operation == {"HeadBucket": 1, "GetObject": 1}

    @pytest.mark.parametrize("content", [None, "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
    def test_a_ca_bundle_that_libcurl_cannot_use_leaves_botocore(
        self,
        lab: LabServer,
        world: World,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        content: str | None,
    ) -> None:
        bundle = tmp_path / "ca.pem"
        if content is not None:
            bundle.write_text(content)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        assert lab.endpoint
        source = S3Recipe(aws=AwsRecipe(attempts=1)).open()
        assert isinstance(source.fetch(put(world), read_all), Fetched)
