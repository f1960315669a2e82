"""The commands that bring originals back: exact, quoted, and none for a record that was made up."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest

from integrity.chain.evidence import Fate, Original
from integrity.chain.findings import Reason
from integrity.record import Run, encode
from integrity.report.recorded import decode_record
from integrity.report.restore import render_restore
from integrity.structs import replace
from tests.report.samples import DAY, HOUR, digest_uri, finding, log_uri, run

KEY = "arn:aws:kms:us-east-1:111122223333:key/1-2"


def original(uri: str = log_uri(3), **changes: Any) -> Original:
    made: dict[str, Any] = {
        "s3_uri": uri, "version_id": "v.1-x", "written_at": DAY, "gone_at": DAY + HOUR,
        "fate": Fate.DELETED, "storage_class": "STANDARD", "encryption": "AES256",
    }  # fmt: skip
    return Original(**made | changes)


def record(*originals: Original) -> Run:
    gone = finding(Reason.LOG_MISSING, 3, s3_uri=log_uri(3))
    return run(replace(gone, versions_tried=1, originals=originals))


def script(*runs: Run, remove_markers: bool = False) -> str:
    documents = [decode_record(encode(one)) for one in runs]
    return render_restore(documents, remove_markers=remove_markers)


def commands(*originals: Original, remove_markers: bool = False) -> list[list[str]]:
    """The words of each command, as bash reads them."""
    text = script(record(*originals), remove_markers=remove_markers)
    told = "aws() { printf '%s\\0' \"$@\" end-of-command; }\n" + text
    done = subprocess.run(["bash", "-c", told], capture_output=True, check=True)
    said = done.stdout.decode().split("end-of-command\0")[:-1]
    return [line.split("\0")[:-1] for line in said]


def options(words: list[str]) -> dict[str, str]:
    assert words[:2] in (["s3api", "copy-object"], ["s3api", "delete-object"])
    return dict(zip(words[2::2], words[3::2], strict=True))


def key_of(uri: str) -> str:
    return uri.removeprefix("s3://logs/")


def test_a_version_is_copied_upon_its_object_with_its_metadata() -> None:
    (words,) = commands(original())

    assert options(words) == {
        "--bucket": "logs",
        "--key": key_of(log_uri(3)),
        "--copy-source": f"logs/{key_of(log_uri(3))}?versionId=v.1-x",
        "--metadata-directive": "COPY",
    }
    assert "# written 2026-03-01T00:00:00Z, deleted 2026-03-01T01:00:00Z" in script(
        record(original())
    )


def test_what_a_copy_does_not_keep_by_itself_is_said() -> None:
    (words,) = commands(original(encryption="aws:kms", kms_key_id=KEY, storage_class="STANDARD_IA"))

    said = options(words)
    assert (said["--server-side-encryption"], said["--ssekms-key-id"]) == ("aws:kms", KEY)
    assert said["--storage-class"] == "STANDARD_IA"
    assert "--ssekms-key-id" not in commands(original(encryption="aws:kms"))[0]


def test_delete_markers_are_removed_where_that_is_asked_for_and_enough() -> None:
    marked = original(markers=("m2", "m1"))

    removed = commands(marked, remove_markers=True)
    assert [options(words)["--version-id"] for words in removed] == ["m2", "m1"]
    assert all(words[1] == "delete-object" for words in removed)
    assert commands(marked)[0][1] == "copy-object"
    assert commands(original(), remove_markers=True)[0][1] == "copy-object"


def test_what_is_archived_is_restored_first() -> None:
    restore, copy = commands(original(storage_class="GLACIER"))

    assert restore[1] == "restore-object"
    assert "--storage-class" not in copy


def test_digests_are_files_of_cloudtrail_too_and_each_is_told_once() -> None:
    one = original(digest_uri(4))
    look = record(original(digest_uri(5)), one)
    text = script(replace(record(one), looks=(look,)), record(one))

    assert text.count("copy-object") == 2
    assert text.startswith("#!/usr/bin/env bash\n")


def test_findings_without_an_original_are_counted() -> None:
    gone = finding(Reason.LOG_MISSING, 3, s3_uri=log_uri(3))
    text = script(run(replace(gone, versions_tried=2), gone))

    assert "0 proven originals to bring back, 1 findings without one, 1 findings of which" in text
    assert "aws" not in text.replace("arn:aws", "")


PREFIXED = log_uri(3).replace("s3://logs/", "s3://logs/{}/")


@pytest.mark.parametrize(
    "prefix",
    [
        "it's", "$(touch gone)", "`id`", "a b", 'q"uote', "%20+&", "\u202e\u0436\u4f60", "a\tb",
        "!history", "~", "*", "back\\slash", "new\nline",
    ],
)  # fmt: skip
def test_a_prefix_may_hold_anything_and_is_what_bash_reads(prefix: str) -> None:
    uri = PREFIXED.format(prefix)
    found = commands(original(uri))
    text = script(record(original(uri)))

    assert text.isascii()
    if not found:
        assert "left out, it is named like no file of CloudTrail's" in text
        return
    assert options(found[0])["--key"] == key_of(uri)
    assert options(found[0])["--copy-source"] == f"logs/{key_of(uri)}?versionId=v.1-x"


@pytest.mark.parametrize(
    "made_up",
    [
        original("s3://logs/etc/passwd"),
        original("x"),
        original(log_uri(3).replace("s3://logs/", "s3://LO GS/")),
        original(PREFIXED.format("file://x")),
        original(PREFIXED.format("-x")),
        original(PREFIXED.format("https://x")),
        original(PREFIXED.format("a?versionId=b")),
        original(version_id="v; rm -rf /"),
        original(version_id=""),
        original(markers=("m\n",)),
        original(storage_class="$(x)"),
        original(encryption="aws:kms", kms_key_id="a b"),
        original(encryption="aws:kms $(x)"),
    ],
)
@pytest.mark.parametrize("remove_markers", [False, True])
def test_of_a_record_that_was_made_up_no_command_is_made(
    made_up: Original, *, remove_markers: bool
) -> None:
    text = script(record(made_up), remove_markers=remove_markers)

    assert [line for line in text.splitlines() if line and not line.startswith("#")] == ["set -eu"]
    assert "# left out, " in text
    assert text.isascii()


def test_the_trail_of_a_made_up_record_stays_in_its_comment() -> None:
    text = script(replace(record(original()), trail_arn="x\nrm -rf /\n#"))

    assert "\nrm" not in text
    assert len(shlex.split(text, comments=True)) > 4
