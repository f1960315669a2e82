"""Records in a folder and in a bucket: never written over, named by time, found again."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from integrity.errors import AccessError, UsageError
from integrity.service.ports import RecordStore
from integrity.stores import record_names
from integrity.stores.record_names import newest_name, record_name, trail_folder
from integrity.stores.records_folder import FolderRecords
from integrity.stores.records_s3 import S3Records
from tests.stores.conftest import client
from tests.stores.specimens import ARN, DAY, HOUR, NOW, OTHER_ARN

RUN = "0f3c9a8e-1111-4222-8333-444455556666"
NAME = f"111122223333/us-east-1/main/2026/03/05/20260305T122000Z_{RUN}.json"


def test_where_nothing_was_written_nothing_is_newest(records: RecordStore) -> None:
    assert records.newest(ARN) is None


def test_a_record_is_found_again(records: RecordStore) -> None:
    uri = records.write(ARN, NOW, RUN, b"{}")
    newest = records.newest(ARN)
    assert newest is not None
    assert (newest.uri, newest.document) == (uri, b"{}")
    assert records.newest(OTHER_ARN) is None


def test_the_newest_is_the_one_that_started_last(records: RecordStore) -> None:
    starts = [
        NOW,
        NOW - HOUR,
        NOW + DAY * 300,
        NOW + DAY * 30,
        NOW + DAY * 300 - HOUR,
        NOW - DAY * 400,
    ]
    for number, start in enumerate(starts):
        records.write(ARN, start, f"run-{number}", b"%d" % number)
    records.write(OTHER_ARN, NOW + DAY * 999, RUN, b"other")
    newest = records.newest(ARN)
    assert newest is not None
    assert newest.document == b"2"


def test_a_drill_is_kept_and_is_no_record(records: RecordStore) -> None:
    uri = records.write_drill(ARN, NOW, "drill-0a1b2c3d", b"{}")
    assert "main/drills/20260305T122000Z_drill-0a1b2c3d" in uri
    assert records.write_drill(ARN, NOW, "drill-0a1b2c3d", b"{}") == uri
    assert records.newest(ARN) is None
    with pytest.raises(AccessError):
        records.write_drill(ARN, NOW, "drill-0a1b2c3d", b"another")


def test_the_same_record_again_changes_nothing(records: RecordStore) -> None:
    first = records.write(ARN, NOW, RUN, b"one")
    again = records.write(ARN, NOW + timedelta(microseconds=7), RUN, b"one")
    assert again == first


def test_another_record_of_the_same_name_is_refused(records: RecordStore) -> None:
    records.write(ARN, NOW, RUN, b"one")
    with pytest.raises(AccessError, match="another record"):
        records.write(ARN, NOW, RUN, b"two")
    newest = records.newest(ARN)
    assert newest is not None
    assert newest.document == b"one"


def test_a_signature_is_named_like_its_record(folder: FolderRecords, tmp_path: Path) -> None:
    folder.write(ARN, NOW, RUN, b"{}")
    folder.attach(ARN, NOW, RUN, b"signature")
    folder.attach(ARN, NOW, RUN, b"another")
    assert files(tmp_path) == [NAME, f"{NAME}.sig"]
    assert (tmp_path / f"{NAME}.sig").read_bytes() == b"signature"
    newest = folder.newest(ARN)
    assert newest is not None
    assert newest.document == b"{}"


def test_a_signature_in_a_bucket_is_never_written_over(s3: Any) -> None:
    records = S3Records("records", s3, prefix="of/main")
    records.write(ARN, NOW, RUN, b"{}")
    records.attach(ARN, NOW, RUN, b"signature")
    records.attach(ARN, NOW, RUN, b"another")
    newest = records.newest(ARN)
    assert newest is not None
    assert newest.document == b"{}"
    kept = s3.get_object(Bucket="records", Key=f"of/main/{NAME}.sig")["Body"].read()
    assert kept == b"signature"


@pytest.fixture
def folder(tmp_path: Path) -> FolderRecords:
    return FolderRecords(tmp_path)


@pytest.fixture
def s3(request: pytest.FixtureRequest) -> Any:
    request.getfixturevalue("aws")
    s3 = client("s3")
    s3.create_bucket(Bucket="records")
    return s3


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_a_name_sorts_by_time() -> None:
    assert record_name(ARN, NOW, RUN) == NAME
    times = [NOW + HOUR * hours for hours in range(0, 20_000, 77)]
    names = [record_name(ARN, time, RUN) for time in times]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "main",
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/../../etc",
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/..",
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/a/b",
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/a\x00b",
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/main\n",
        "arn:aws:cloudtrail:../x:111122223333:trail/main",
        "arn:aws:cloudtrail:us-east-1:1:trail/main",
        "arn:aws:s3:us-east-1:111122223333:trail/main",
        "arn:aws:cloudtrail:us-east-1:١١١١٢٢٢٢٣٣٣٣:trail/main",
    ],
)
def test_an_arn_that_is_none_is_refused(records: RecordStore, arn: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no ARN of a trail"):
        trail_folder(arn)
    if not type(records).__name__.startswith("Memory"):
        with pytest.raises(UsageError):
            records.write(arn, NOW, RUN, b"")
        with pytest.raises(UsageError):
            records.newest(arn)
        with pytest.raises(UsageError):
            records.read(arn, NOW, RUN)
    assert files(tmp_path) == []


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", "a_b", "a\n", "-", "x" * 65, "a.json"])
def test_a_run_id_that_is_none_is_refused(folder: FolderRecords, run_id: str) -> None:
    with pytest.raises(UsageError, match="is no id of a run"):
        folder.write(ARN, NOW, run_id, b"")


def test_names_that_are_nobodys_are_passed_over() -> None:
    right = "20260305T122000Z_a.json"
    strange = [
        "20260306T122000Z_z.json",  # another day's
        "20260305T126000Z_z.json",
        "20260305T132000Z_../z.json",
        "20260305T132000Z_z.json.part",
        ".20260305T132000Z_z.json",
        "zzz",
    ]
    assert newest_name("2026/03/05/", [*strange, right]) == right
    assert newest_name("2026/03/05/", strange) is None


STRANGE = [
    "111122223333/us-east-1/main/9999/99/99/x",
    "111122223333/us-east-1/main/9999/12/31/20260305T122000Z_z.json",
    "111122223333/us-east-1/main/zzzz/12/31/20260305T122000Z_z.json",
    "111122223333/us-east-1/main/2026/notes.txt",
    "111122223333/us-east-1/main-2/2027/03/05/20270305T122000Z_z.json",
]


def test_strange_files_are_passed_over(folder: FolderRecords, tmp_path: Path) -> None:
    folder.write(ARN, NOW, RUN, b"right")
    for name in STRANGE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"strange")
    newest = folder.newest(ARN)
    assert newest is not None
    assert newest.document == b"right"


def test_strange_objects_are_passed_over(s3: Any) -> None:
    records = S3Records("records", s3)
    records.write(ARN, NOW, RUN, b"right")
    for name in STRANGE:
        s3.put_object(Bucket="records", Key=name, Body=b"strange")
    newest = records.newest(ARN)
    assert newest is not None
    assert newest.document == b"right"


def test_a_file_is_whole_or_not_there(
    folder: FolderRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(AccessError, match=r"No space left on device"):
            folder.write(ARN, NOW, RUN, b"record")
    assert files(tmp_path) == []
    uri = folder.write(ARN, NOW, RUN, b"record")
    assert uri == (tmp_path / NAME).as_uri()
    assert files(tmp_path) == [NAME]


@pytest.mark.parametrize("taken", [b"one", b"two", None])
def test_a_volume_without_links_will_do(
    folder: FolderRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bytes | None
) -> None:
    if taken:
        folder.write(ARN, NOW, RUN, taken)

    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    expected: AbstractContextManager[Any] = nullcontext()
    if taken == b"two":
        expected = pytest.raises(AccessError, match="another record")
    with expected:
        folder.write(ARN, NOW, RUN, b"one")
    assert files(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == (taken or b"one")


def test_the_folder_is_made_but_not_what_it_lies_in(tmp_path: Path) -> None:
    FolderRecords(tmp_path / "records")
    assert (tmp_path / "records").is_dir()
    with pytest.raises(UsageError, match=r"records lies nowhere: make .*gone first"):
        FolderRecords(tmp_path / "gone" / "records")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AccessError, match="records could not be written or read at"):
        FolderRecords(tmp_path / "file")


def test_a_place_that_cannot_be_written_is_named(folder: FolderRecords, tmp_path: Path) -> None:
    (tmp_path / "111122223333").write_bytes(b"a file where a folder has to be")
    with pytest.raises(AccessError, match="records could not be written or read at"):
        folder.write(ARN, NOW, RUN, b"record")


@pytest.mark.parametrize("prefix", ["", "a", "a/", "/a/b/"])
def test_a_prefix_is_a_folder(s3: Any, prefix: str) -> None:
    records = S3Records("records", s3, prefix=prefix)
    uri = records.write(ARN, NOW, RUN, b"{}")
    folder = f"{prefix.strip('/')}/".lstrip("/")
    assert uri == f"s3://records/{folder}{NAME}"
    newest = records.newest(ARN)
    assert newest is not None
    assert newest.uri == uri


def few_a_page(params: dict[str, Any], **_: Any) -> None:
    params["MaxKeys"] = 10


def test_a_day_of_many_records_is_read_to_its_end(s3: Any) -> None:
    records = S3Records("records", s3)
    s3.meta.events.register("before-parameter-build.s3.ListObjectsV2", few_a_page)
    for number in range(25):
        name = record_name(ARN, NOW + timedelta(seconds=number), "run")
        s3.put_object(Bucket="records", Key=name, Body=b"%d" % number)
    newest = records.newest(ARN)
    assert newest is not None
    assert newest.document == b"24"


def test_the_newest_takes_a_few_requests(s3: Any) -> None:
    records = S3Records("records", s3)
    for days in range(40):
        records.write(ARN, NOW + DAY * days, RUN, b"%d" % days)
    asked: list[str] = []
    s3.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    assert records.newest(ARN) is not None
    assert asked == ["ListObjectsV2"] * 4 + ["GetObject"]


def test_a_key_and_an_owner_go_with_the_request(s3: Any) -> None:
    records = S3Records(
        "records", s3, kms_key_id="alias/records", expected_bucket_owner="123456789012"
    )
    asked: list[dict[str, str]] = []
    s3.meta.events.register("before-call.s3", lambda params, **_: asked.append(params["headers"]))
    records.write(ARN, NOW, RUN, b"{}")
    [headers] = asked
    assert headers["x-amz-server-side-encryption"] == "aws:kms"
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/records"
    assert headers["x-amz-expected-bucket-owner"] == "123456789012"
    assert headers["If-None-Match"] == "*"


def refuse_with(s3: Any, operation: str, *errors: Exception) -> list[Exception]:
    left = list(errors)

    def refuse(**_: Any) -> None:
        if left:
            raise left.pop(0)

    s3.meta.events.register(f"before-call.s3.{operation}", refuse)
    return left


def refusal(code: str, operation: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}}
    return ClientError(answer, operation)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal("AccessDenied", "PutObject"), "s3:PutObject on arn:aws:s3:::records/.* not allow"),
        (refusal("NoSuchBucket", "PutObject"), "NoSuchBucket"),
        (refusal("SlowDown", "PutObject"), "AWS throttled s3:PutObject"),
        (EndpointConnectionError(endpoint_url="https://x"), "no answer to s3:PutObject"),
    ],
)
def test_a_refused_write_names_its_cause(s3: Any, error: Exception, said: str) -> None:
    left = refuse_with(s3, "PutObject", error)
    with pytest.raises(AccessError, match=f"at s3://records/.*: .*{said}"):
        S3Records("records", s3).write(ARN, NOW, RUN, b"{}")
    assert left == []


def test_writes_that_meet_are_tried_again(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    met = refusal("ConditionalRequestConflict", "PutObject")
    left = refuse_with(s3, "PutObject", met, met)
    S3Records("records", s3).write(ARN, NOW, RUN, b"{}")
    assert (left, len(waits)) == ([], 2)


def test_refused_readings_name_their_cause(s3: Any) -> None:
    records = S3Records("records", s3)
    records.write(ARN, NOW, RUN, b"{}")
    refuse_with(s3, "GetObject", refusal("AccessDenied", "GetObject"))
    with pytest.raises(AccessError, match=r"s3:GetObject on .* is not allowed"):
        records.newest(ARN)
    refuse_with(s3, "ListObjectsV2", refusal("AccessDenied", "ListObjectsV2"))
    with pytest.raises(AccessError, match="s3:ListBucket on arn:aws:s3:::records is not allowed"):
        records.newest(ARN)


def test_what_is_too_large_is_no_record(
    s3: Any, folder: FolderRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = S3Records("records", s3)
    for store in (records, folder):
        store.write(ARN, NOW, RUN, b"123456")
    for module in ("records_s3", "records_folder"):
        monkeypatch.setattr(f"integrity.stores.{module}.MAX_RECORD_BYTES", 5)
    for store in (records, folder):
        with pytest.raises(AccessError, match="larger than 5 bytes"):
            store.newest(ARN)


def test_levels_are_year_month_and_day() -> None:
    day = datetime(2026, 3, 5).strftime("%Y/%m/%d").split("/")  # noqa: DTZ001 - no instant, a name
    pairs = zip(record_names.LEVELS, day, strict=True)
    assert all(level.fullmatch(part) for level, part in pairs)


def test_the_record_of_a_run_is_read(records: RecordStore) -> None:
    uri = records.write(ARN, NOW, RUN, b"{}")
    found = records.read(ARN, NOW, RUN)
    assert found is not None
    assert (found.uri, found.document) == (uri, b"{}")


def test_the_record_of_a_run_that_wrote_none_is_none(records: RecordStore) -> None:
    records.write(ARN, NOW, RUN, b"{}")
    assert records.read(ARN, NOW, "another") is None
    assert records.read(ARN, NOW + HOUR, RUN) is None
