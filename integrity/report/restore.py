"""The commands that bring proven originals back, as a shell script, from records alone.

A copy of the version upon itself keeps its metadata, and with it a digest's signature, which a
plain PUT would lose; it adds a version and takes nothing away, so that what shows the attack stays.
Where nothing but delete markers lies above an original, removing these restores it to the letter,
its time included; that is for whoever asks for it, since it removes the trace.

Nothing is done here. Records may be made up, so every part is quoted for a shell, and an object
that is not named like CloudTrail's own is left out. The AWS CLI encodes the source of a copy by
itself: it is written plain. (AWS: API_CopyObject; Restoring previous versions.)
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from integrity.chain.evidence import Original
from integrity.chain.model import S3Location
from integrity.chain.names import parse_digest, parse_log
from integrity.chain.terminal import escape
from integrity.chain.times import format_instant
from integrity.errors import UsageError
from integrity.grammar import parse_bucket
from integrity.record import Run
from integrity.report.recorded import Recorded

_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_VERSION = re.compile(r"[A-Za-z0-9._~-]{1,1024}")
_CLASS = re.compile(r"[A-Z_]{1,40}")
_KMS_KEY = re.compile(r"[A-Za-z0-9:/_-]{1,2048}")
_PLAIN = re.compile(r"[ -~]+")
_READ_BY_CLI = re.compile(r"(fileb?|https?)://")
"""What the AWS CLI takes for the name of a file to read, in place of a value."""


def render_restore(records: Sequence[Recorded], *, remove_markers: bool) -> str:
    """A script of `aws s3api` commands; comments alone where nothing can be brought back."""
    return "\n".join(_lines(records, remove_markers=remove_markers)) + "\n"


def _lines(records: Sequence[Recorded], *, remove_markers: bool) -> Iterator[str]:
    yield "#!/usr/bin/env bash"
    yield "# Brings back what CloudTrail delivered. Nothing was done yet: read it, then run it."
    yield "# First copy all versions of these objects to where nobody who could have done this can"
    yield "# write; what was put in their place shows who did it."
    yield "set -eu"
    done: set[tuple[str, str]] = set()
    for recorded in records:
        for run in (recorded.run, *recorded.run.looks):
            originals = [one for one in _originals(run) if (one.s3_uri, one.version_id) not in done]
            done |= {(one.s3_uri, one.version_id) for one in originals}
            yield ""
            yield f"# {escape(run.trail_arn)}, judged {format_instant(run.run.judged_at)}:"
            yield f"# {_counted(run, originals)}"
            for one in originals:
                yield from _bring_back(one, remove_markers=remove_markers)


def _originals(run: Run) -> list[Original]:
    return [one for finding in run.findings for one in finding.originals]


def _counted(run: Run, originals: Sequence[Original]) -> str:
    left = sum(f.versions_tried is not None and not f.originals for f in run.findings)
    unasked = sum(f.versions_tried is None for f in run.findings)
    told = [f"{len(originals)} proven originals to bring back"]
    told += [f"{left} findings without one"] * bool(left)
    told += [f"{unasked} findings of which no versions were looked at"] * bool(unasked)
    return ", ".join(told)


def _bring_back(original: Original, *, remove_markers: bool) -> Iterator[str]:
    bucket, _, key = original.s3_uri.removeprefix("s3://").partition("/")
    yield ""
    yield (
        f"# written {format_instant(original.written_at)}, {original.fate.value} "
        f"{format_instant(original.gone_at)}"
    )
    why_not = _unsafe(original, S3Location(bucket, key))
    if why_not:
        yield f"# left out, {why_not}: {escape(original.s3_uri)}"
        return
    where = f"--bucket {_word(bucket)} --key {_word(key)}"
    if original.storage_class in _ARCHIVES:
        yield "# it is archived: run this first, and the rest hours later"
        yield (
            f"aws s3api restore-object {where} --version-id {_word(original.version_id)} "
            "--restore-request Days=7"
        )
    if remove_markers and original.markers:
        for marker in original.markers:
            yield f"aws s3api delete-object {where} --version-id {_word(marker)}"
        return
    yield (
        f"aws s3api copy-object {where} "
        f"--copy-source {_word(f'{bucket}/{key}?versionId={original.version_id}')} "
        "--metadata-directive COPY" + "".join(_kept(original))
    )


def _kept(original: Original) -> Iterator[str]:
    """What a copy does not take over by itself."""
    if original.encryption.startswith("aws:kms"):
        yield f" --server-side-encryption {_word(original.encryption)}"
        if original.kms_key_id:
            yield f" --ssekms-key-id {_word(original.kms_key_id)}"
    if original.storage_class not in ("", "STANDARD", *_ARCHIVES):
        yield f" --storage-class {_word(original.storage_class)}"


def _unsafe(original: Original, place: S3Location) -> str:
    """Why no command is made of it, or nothing."""
    try:
        parse_bucket(place.bucket)
    except UsageError:
        return "its bucket has no name of a bucket"
    if parse_digest(place) is None and parse_log(place) is None:
        return "it is named like no file of CloudTrail's"
    if "?versionId=" in place.key or _READ_BY_CLI.match(place.key) or place.key.startswith("-"):
        return "the AWS CLI would take its name for something else"
    ids = [original.version_id, *original.markers]
    said = [(_VERSION, one) for one in ids]
    said += [(_CLASS, original.storage_class)] if original.storage_class else []
    said += [(_KMS_KEY, original.kms_key_id)] if original.kms_key_id else []
    said += [(_KMS_KEY, original.encryption)] if original.encryption else []
    if not all(form.fullmatch(text) for form, text in said):
        return "its version, class or key is no word of S3's"
    return ""


def _word(text: str) -> str:
    """One word of bash, exactly this text, with nothing in it that a terminal obeys."""
    if _PLAIN.fullmatch(text):
        return shlex.quote(text)
    plain = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"\\'" else f"\\x{byte:02x}"
        for byte in text.encode(errors="replace")
    )
    return f"$'{plain}'"
