"""The script in docs/, with which a third party verifies a bundle without a line of ours."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from integrity.lab.keys import pooled_key, public_der, rsa_signature
from integrity.lab.signing import string_to_sign
from tests.offline.stage import collect, job_of
from tests.scenarios import SCENARIOS

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_bundle.py"
MOST_LINES = 60
OTHERS = "another trail in the bucket, tampered with"

Act = Callable[[Path], None]
Captured = pytest.CaptureFixture[str]


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, without: tuple[str, str] = ("", "")
) -> int:
    """Its exit status, with something else in place of one of its checks."""
    source = SCRIPT.read_text()
    assert not without[0] or source.count(without[0]) == 1
    source = source.replace(*without) if without[0] else source
    monkeypatch.setattr("sys.argv", [str(SCRIPT), str(folder)])
    with pytest.raises(SystemExit) as ended:
        exec(compile(source, SCRIPT, "exec"), {"__name__": "__main__"})
    assert isinstance(ended.value.code, int)
    return ended.value.code


def bundle(name: str, folder: Path, **asked: object) -> Path:
    """A bundle of one scenario."""
    (scenario,) = (one for one in SCENARIOS if one.name == name)
    stage = scenario.stage()
    collect(stage, folder, job_of(stage, unreferenced=True, **asked))
    return folder


# What is done to a bundle


def nothing(folder: Path) -> None:
    """The harm was done in the bucket."""


def digests(folder: Path) -> list[Path]:
    """The digest files that end in the window, the newest last."""
    return sorted(folder.rglob("*_CloudTrail-Digest_*.json.gz"))[:-1]


def middle_log(folder: Path) -> Path:
    logs = sorted(folder.rglob("*_CloudTrail_*.json.gz"))
    return logs[len(logs) // 2]


def change_line(folder: Path, file: Path, **changes: Any) -> None:
    path = folder / "objects.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    at = file.relative_to(folder).as_posix()
    changed = [line | changes if line.get("path") == at else line for line in lines]
    assert changed != lines
    path.write_text("".join(f"{json.dumps(line)}\n" for line in changed))


def change_asked(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    said = json.loads(path.read_bytes())
    path.write_text(json.dumps(said | {"asked": said["asked"] | changes}))


def edit_the_newest(folder: Path) -> None:
    """It names a log file less."""
    newest = digests(folder)[-1]
    document = json.loads(gzip.decompress(newest.read_bytes()))
    document["logFiles"] = document["logFiles"][1:]
    newest.write_bytes(gzip.compress(json.dumps(document).encode()))


def sign_all_with_another_key(folder: Path) -> None:
    """The whole chain is somebody's own, under the fingerprint of CloudTrail's key."""
    edit_the_newest(folder)
    key, links = pooled_key("mine"), dict[str, str]()
    for path in sorted(folder.rglob("*_CloudTrail-Digest_*.json.gz")):
        document = json.loads(gzip.decompress(path.read_bytes())) | links
        body = json.dumps(document).encode()
        signature = rsa_signature(key, string_to_sign(document, body))
        path.write_bytes(gzip.compress(body))
        change_line(folder, path, metadata={"signature": signature})
        sha256 = hashlib.sha256(body).hexdigest()
        links = {"previousDigestHashValue": sha256, "previousDigestSignature": signature}
    known = json.loads((folder / "keys.json").read_bytes())
    value = base64.b64encode(public_der(key)).decode()
    known["keys"] = [one | {"value": value} for one in known["keys"]]
    (folder / "keys.json").write_text(json.dumps(known))


def sign_the_newest_otherwise(folder: Path) -> None:
    """In its place lies the one before it, with that one's own signature."""
    before, newest = digests(folder)[-2:]
    newest.write_bytes(before.read_bytes())
    for line in (folder / "objects.jsonl").read_bytes().splitlines():
        if before.name in (held := json.loads(line)).get("path", ""):
            change_line(folder, newest, metadata=held["metadata"])


def lead_outside(folder: Path) -> None:
    log = middle_log(folder)
    (folder.parent / "mine.json.gz").write_bytes(log.read_bytes())
    change_line(folder, log, path="../mine.json.gz")


def lose_a_log(folder: Path) -> None:
    middle_log(folder).unlink()


def break_a_log(folder: Path) -> None:
    """Its header and trailer are whole, and what is between them is nothing."""
    stored = middle_log(folder).read_bytes()
    middle_log(folder).write_bytes(stored[:10] + b"\xff" * 40 + stored[50:])


def cut_a_log_short(folder: Path) -> None:
    stored = middle_log(folder).read_bytes()
    middle_log(folder).write_bytes(stored[:-20])


def list_a_digest(folder: Path) -> None:
    digests(folder)[3].write_bytes(gzip.compress(b"[]"))


def edit_the_last_log(folder: Path) -> None:
    """Its digest ends within an hour after the window, and vouches for its last minutes."""
    document = json.loads(gzip.decompress(digests(folder)[-1].read_bytes()))
    (log,) = folder.rglob(document["logFiles"][-1]["s3Object"].rpartition("/")[2])
    log.write_bytes(gzip.compress(b"{}"))


def nest_a_digest(folder: Path) -> None:
    digests(folder)[3].write_bytes(gzip.compress(b"[" * 200_000))


class Attack(NamedTuple):
    """What is done to which scenario's bundle, what is said, and the check that says it."""

    act: Act
    says: str
    check: tuple[str, str]
    scenario: str = "clean"


ATTACKS = [
    Attack(edit_the_newest, "InvalidSignature", ("key.verify(", "(")),
    Attack(
        sign_all_with_another_key,
        "KeyError",
        (
            "hashlib.md5(der).hexdigest()",
            "{b64decode(k['value']): k['fingerprint'] for k in keys['keys']}[der]",
        ),
    ),
    Attack(sign_the_newest_otherwise, "was moved", (")) != place:", ")) == 0:")),
    Attack(lead_outside, "is not in the subpath of", (".relative_to(folder)", "")),
    Attack(nothing, "was changed", ("log_sha256 != sha256", "False"), "log edited"),
    Attack(edit_the_last_log, "was changed", ("end + timedelta(hours=1)", "end")),
    Attack(lose_a_log, "FileNotFoundError", ("", "")),
    Attack(break_a_log, "error Error -3", ("", "")),
    Attack(cut_a_log_short, "EOFError", ("", "")),
    Attack(list_a_digest, "TypeError", ("", "")),
    Attack(nest_a_digest, "RecursionError", ("", "")),
    Attack(nothing, "KeyError", ("", ""), "log deleted"),
    Attack(
        nothing,
        "the one before it",
        ("digests.get(before, stated) != stated", "False"),
        "predecessor's hash contradicted",
    ),
    Attack(
        nothing,
        "the one before it",
        ("digests.get(before, stated) != stated", "False"),
        "predecessor's signature contradicted",
    ),
    Attack(nothing, "is missing or another", ("before not in held", "False"), "digest deleted"),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: f"{one.scenario}, {one.act.__name__}")
def test_each_of_its_checks_has_an_attack_that_goes_unseen_without_it(
    attack: Attack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    folder = bundle(attack.scenario, tmp_path / "bundle")
    attack.act(folder)
    assert run(folder, monkeypatch) == 1
    assert attack.says in capsys.readouterr().out
    if attack.check[0]:
        assert run(folder, monkeypatch, without=attack.check) == 0


@pytest.mark.parametrize(
    "scenario", ["clean", "window inside", "bucket and prefix changed", OTHERS]
)
def test_it_finds_no_flaw_where_there_is_none(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    folder = bundle(scenario, tmp_path / "bundle")
    assert run(folder, monkeypatch) == 0
    assert capsys.readouterr().out.endswith(" 0 flaws\n")


def test_the_digests_of_other_trails_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    folder = bundle(OTHERS, tmp_path / "bundle")
    assert run(folder, monkeypatch, without=(" and ours in at[1]", "")) == 1
    assert "_other_" in capsys.readouterr().out


def test_without_log_files_it_looks_for_none_and_is_not_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    folder = bundle("clean", tmp_path / "bundle", log_files=False)
    assert run(folder, monkeypatch) == 3
    assert capsys.readouterr().out.endswith("\n27 digests signed; 27 files; 0 flaws\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"log_files": False},
        {"start": "2031-01-01T00:00:00Z", "end": "2031-01-02T00:00:00Z"},
    ],
)
def test_a_manifest_that_asks_for_nothing_makes_nothing_valid(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    folder = bundle("clean", tmp_path / "bundle")
    middle_log(folder).write_bytes(gzip.compress(b"{}"))
    assert run(folder, monkeypatch) == 1
    capsys.readouterr()
    change_asked(folder, **changes)
    assert run(folder, monkeypatch) == 3
    asked = capsys.readouterr().out.splitlines()[0]
    assert all(f"{name!r}: {value!r}" in asked for name, value in changes.items())


def test_names_that_strangers_chose_are_shown_in_ascii(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    folder = bundle("clean", tmp_path / "bundle")
    change_line(folder, digests(folder)[3], key="\x1b[2K/CloudTrail-Digest/_main_us-east-1_\u202e")
    change_asked(folder, ignored=["\u00e9"])
    assert run(folder, monkeypatch) == 1
    said = capsys.readouterr().out
    assert "\\x1b[2K" in said
    assert said.isascii()
    assert "\x1b" not in said


def test_nothing_at_all_is_not_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(bundle("all digests deleted", tmp_path / "bundle"), monkeypatch) == 3


def test_it_can_be_read_at_one_sitting() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= MOST_LINES
