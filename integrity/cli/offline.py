"""What `--copy`, `--bundle` and `--original` mean together, and what contradicts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integrity.errors import UsageError
from integrity.wiring import Offline
from integrity.wiring.access import Place

_OF_AWS = (
    "s3_bucket",
    "s3_prefix",
    "organization_id",
    "expected_bucket_owner",
    "keys_profile",
    "profile",
    "region",
)


def read_offline(typed: dict[str, Any]) -> Offline | None:
    """The folder to verify without AWS, where one was named. Raises UsageError."""
    copy, bundle = typed.get("copy"), typed.get("bundle")
    folder = copy or bundle
    if folder is None:
        return None
    option = "--copy" if copy else "--bundle"
    if copy and bundle:
        raise UsageError("--copy and --bundle are two folders: leave one of them out")
    for name in _OF_AWS:
        if typed[name] is not None:
            raise UsageError(
                f"--{name.replace('_', '-')} is of AWS, which is not asked with {option}: leave it "
                "out"
            )
    if copy and typed["original"] is None:
        raise UsageError(
            "--copy needs to know what was copied: add --original s3://BUCKET/PREFIX, whose "
            "content the folder has"
        )
    if copy and typed["keys_file"] is None:
        raise UsageError(
            "--copy needs public keys: add --keys FILE (integrity keys saves them, while AWS can "
            "be asked)"
        )
    if bundle and (typed["original"] or typed["keys_file"]):
        raise UsageError("a bundle knows its original and has its keys: leave both out")
    for name in ("output", "report", "resume"):
        refuse_inside(folder, name, typed.get(name))
    return Offline(folder=folder, original=typed["original"], keys_file=typed["keys_file"])


def refuse_inside(folder: Path, option: str, file: Path | None) -> None:
    """Into what is judged, and into a bundle, nothing is written. Raises UsageError."""
    if file is not None and file.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"--{option} lies in {str(folder)!r}, into which nothing is written: choose another"
        )


def replica_of(typed: dict[str, Any], prefix: str | None) -> tuple[Place | None, Place | None]:
    """The original of a replicated bucket, and where its objects lie now. Raises UsageError."""
    original: Place | None = typed.get("original")
    if original is None or typed.get("copy"):
        return None, None
    if typed["s3_bucket"] is None:
        raise UsageError("--original says what --s3-bucket or --copy is a copy of: add one of them")
    folder = original[1] if prefix is None else f"{prefix}/" if prefix else ""
    return original, (typed["s3_bucket"], folder)
