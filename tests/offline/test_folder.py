"""A folder as a bucket: what it holds, what it cannot, and names that want to lead elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrity.chain.content import Buffer
from integrity.chain.model import Absent, Fetched, Listed, S3Location, Unreachable
from integrity.errors import UsageError
from integrity.sources import folder as module
from integrity.sources.folder import FolderSource, Original

ACCOUNT = "AWSLogs/111122223333"
DIGEST = f"{ACCOUNT}/CloudTrail-Digest/us-east-1/2026/03/01/d.json.gz"
LOG = f"{ACCOUNT}/CloudTrail/us-east-1/2026/03/01/l.json.gz"
posix = pytest.mark.skipif(os.name == "nt", reason="names that only POSIX has")


def whole(pieces: Iterable[Buffer]) -> bytes:
    return b"".join(bytes(piece) for piece in pieces)


def place(key: str, bucket: str = "logs") -> S3Location:
    return S3Location(bucket, key)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    for key in (DIGEST, LOG):
        (folder / key).parent.mkdir(parents=True)
        (folder / key).write_bytes(key.encode())
        os.utime(folder / key, (1000, 1000))
    (tmp_path / "secret").write_text("secret")
    return folder


@pytest.fixture
def source(copy: Path) -> FolderSource:
    return FolderSource(copy, Original("logs"))


def test_an_object_is_its_file(source: FolderSource) -> None:
    answer = source.fetch(place(DIGEST), whole)
    assert answer == Fetched(place(DIGEST), DIGEST.encode(), size=len(DIGEST))
    assert source.fetch(place(DIGEST + "x"), whole) == Absent(place(DIGEST + "x"))
    assert source.fetch(place("AWSLogs/no/where"), whole) == Absent(place("AWSLogs/no/where"))
    assert source.fetch(place(f"{DIGEST}/below"), whole) == Absent(place(f"{DIGEST}/below"))


def test_a_file_is_read_in_pieces_and_no_further_than_is_wanted(
    source: FolderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PIECE_BYTES", 10)
    answer = source.fetch(place(LOG), lambda pieces: next(iter(pieces)))
    assert isinstance(answer, Fetched)
    assert answer.content == LOG.encode()[:10]


HOSTILE = [
    "../secret",
    "AWSLogs/../../secret",
    "./AWSLogs/x",
    "AWSLogs//x",
    "/etc/passwd",
    "AWSLogs/\0",
    "AWSLogs/\ud800",
    f"AWSLogs/{'x' * 3000}",
    f"{'y' * 3000}/x",
    "",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_no_name_leads_out_of_the_folder(source: FolderSource, key: str) -> None:
    assert isinstance(source.fetch(place(key), whole), Unreachable)


def test_what_another_system_reads_into_a_name_is_no_name_there(
    source: FolderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ON_WINDOWS", True)
    monkeypatch.setattr(module, "_FORBIDDEN", frozenset('\0\\:<>|"?*'))
    for key in ("C:/secret", "AWSLogs\\..\\..\\secret", "d.json.gz:stream", "AWSLogs./x", "a "):
        assert isinstance(source.fetch(place(key), whole), Unreachable), key


@posix
def test_links_are_told_and_not_followed(copy: Path, tmp_path: Path) -> None:
    day = (copy / DIGEST).parent
    (day / "link.json.gz").symlink_to(tmp_path / "secret")
    (copy / "AWSLogs" / "222233334444").symlink_to(copy / ACCOUNT)
    source = FolderSource(copy, Original("logs"))
    key = DIGEST.replace("d.json", "link.json")
    answer = source.fetch(place(key), whole)
    assert isinstance(answer, Unreachable)
    assert "symbolic link" in answer.detail
    linked = DIGEST.replace("111122223333", "222233334444")
    for told in (
        source.fetch(place(linked), whole),
        source.list_folders("logs", "AWSLogs/222233334444/"),
        *source.list_objects("logs", "AWSLogs/222233334444/CloudTrail/"),
    ):
        assert isinstance(told, Unreachable)
        assert "symbolic link" in told.detail
    assert source.list_folders("logs", "AWSLogs/") == ("111122223333", "222233334444")
    listed = [one.location.key for one in source.list_objects("logs", f"{ACCOUNT}/CloudTrail-D")]
    assert sorted(listed) == [DIGEST, key]
    assert [one.key for one in source.digest_places()] == [DIGEST, key]


@posix
def test_what_is_no_file_is_not_waited_for(copy: Path) -> None:
    os.mkfifo(copy / "AWSLogs" / "pipe")
    source = FolderSource(copy, Original("logs"))
    for key in ("AWSLogs/pipe", ACCOUNT):
        assert isinstance(source.fetch(place(key), whole), Unreachable)


def test_what_lies_outside_of_the_copy_is_not_absent(copy: Path) -> None:
    source = FolderSource(copy / "AWSLogs", Original("logs", "AWSLogs/"))
    assert isinstance(source.fetch(place(DIGEST), whole), Fetched)
    for answer in (
        source.fetch(place(DIGEST, "others"), whole),
        source.fetch(place("audit/AWSLogs/x"), whole),
        source.list_folders("others", ""),
        source.list_folders("logs", "audit/"),
        *source.list_objects("others", "AWSLogs/"),
        *source.list_objects("logs", "audit/"),
    ):
        assert isinstance(answer, Unreachable)
        assert answer.detail == "it lies outside of the copy, which holds s3://logs/AWSLogs/"
    assert source.list_folders("logs", "") == ("AWSLogs",)
    assert source.list_folders("logs", "AWSLogs/") == ("111122223333",)
    assert source.list_folders("logs", "AWSLogs/none/") == ()
    assert {one.location.key for one in source.list_objects("logs", "")} == {DIGEST, LOG}
    assert list(source.list_objects("logs", "AWSLogs/none/")) == []
    assert [one.key for one in source.digest_places()] == [DIGEST]


def test_a_listing_shows_what_the_files_show(source: FolderSource) -> None:
    written = datetime.fromtimestamp(1000, UTC)
    assert list(source.list_objects("logs", f"{ACCOUNT}/CloudTrail/")) == [
        Listed(place(LOG), len(LOG), written)
    ]
    assert list(source.list_objects("logs", LOG[:-4])) == [Listed(place(LOG), len(LOG), written)]


def test_a_file_system_that_ignores_case_is_asked_for_the_true_name(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ignores_case", lambda _: True)
    source = FolderSource(copy, Original("logs"))
    assert isinstance(source.fetch(place(DIGEST), whole), Fetched)
    for key in (DIGEST.lower(), DIGEST.replace("d.json", "D.json")):
        assert source.fetch(place(key), whole) == Absent(place(key))


@posix
@pytest.mark.skipif(os.geteuid() == 0 if os.name != "nt" else True, reason="root reads all")
def test_what_may_not_be_read_is_unreachable(copy: Path) -> None:
    (copy / DIGEST).chmod(0)
    source = FolderSource(copy, Original("logs"))
    assert isinstance(source.fetch(place(DIGEST), whole), Unreachable)


@posix
def test_a_read_that_breaks_is_unreachable(
    source: FolderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", broken)
    for answer in (
        source.list_folders("logs", "AWSLogs/"),
        *source.list_objects("logs", ACCOUNT + "/"),
    ):
        assert isinstance(answer, Unreachable)
        assert "Input/output error" in answer.detail
    with pytest.raises(UsageError, match="Input/output error"):
        list(source.digest_places())
    pieces = module._Pieces(broken)
    assert list(pieces) == []
    assert pieces.trouble is not None


@posix
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_names_that_are_no_text_are_nobodys(copy: Path) -> None:
    (copy / "AWSLogs" / os.fsdecode(b"\xff")).mkdir()
    source = FolderSource(copy, Original("logs"))
    assert source.list_folders("logs", "AWSLogs/") == ("111122223333",)
    assert len(list(source.list_objects("logs", ""))) == 2


def test_a_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        FolderSource(tmp_path / "none", Original("logs"))
