"""`integrity verify`: what is asked for, and which exit status comes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.chain.findings import Outcome, Reason
from integrity.chain.model import S3Location
from integrity.cli import main
from integrity.errors import AccessError, UsageError
from integrity.record import Run, Totals, decode, encode
from integrity.structs import replace
from integrity.verify.claim import Claim
from integrity.verify.ports import Progress
from integrity.wiring import Access
from tests.cli.stand_in import Answer, StandIn, trail
from tests.report.samples import ACCOUNT, ARN, chain, finding, log_uri, run

INVALID = run(finding(Reason.LOG_MISSING, s3_uri=log_uri(5)))
GAP = run(finding(Reason.CHAIN_GAP))
FORGIVEN = run(finding(Reason.CHAIN_GAP), allow_gaps=True)
NOTHING = run(finding(Reason.NO_DIGESTS), chains=(), totals=Totals())
NEVER_SIGNED = run(
    replace(finding(Reason.TRAIL_OFF), outcome=Outcome.VALID), chains=(), totals=Totals()
)
UNREACHED = AccessError("cloudtrail:GetTrail was throttled: try again later")

Captured = pytest.CaptureFixture[str]


def verify(*arguments: str, answers: list[Answer] | None = None) -> tuple[int, StandIn]:
    stand_in = StandIn() if answers is None else StandIn(answers)
    return main(["verify", *arguments], wiring=stand_in), stand_in


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([run()], 0),
        ([INVALID], 1),
        ([UsageError("no such trail")], 2),
        ([GAP], 3),
        ([NOTHING], 3),
        ([NEVER_SIGNED], 3),
        ([FORGIVEN], 0),
        ([UNREACHED], 3),
        ([RuntimeError("oh")], 70),
        ([BrokenPipeError(32, "a socket of ours")], 70),
        ([KeyboardInterrupt()], 130),
        ([run(), INVALID, GAP], 1),
        ([INVALID, run()], 1),
        ([run(), GAP], 3),
        ([run(), run()], 0),
        ([run(), UNREACHED], 3),
        ([INVALID, UNREACHED], 1),
        ([run(), NEVER_SIGNED], 0),
        ([NEVER_SIGNED, GAP], 3),
        ([NEVER_SIGNED, NEVER_SIGNED], 3),
        ([run(), RuntimeError("oh")], 70),
        ([run(), KeyboardInterrupt()], 130),
    ],
)
def test_the_exit_status_is_the_worst_of_the_records(
    answers: list[Answer], status: int, capsys: Captured
) -> None:
    assert verify(answers=answers)[0] == status
    assert "Traceback" not in capsys.readouterr().err


def test_nothing_is_asked_for_but_the_last_24_hours_of_every_trail() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    _, stand_in = verify()
    after = datetime.now(UTC)
    assert stand_in.claim == Claim()
    assert stand_in.access == Access()
    (job,) = stand_in.jobs
    assert before <= job.window.end <= after
    assert job.window.end - job.window.start == timedelta(hours=24)
    connected, judged = stand_in.nows
    assert job.window.end <= connected <= judged <= after
    assert judged.microsecond == 0
    assert (job.account_ids, job.source_regions, job.ignored) == (None, None, ())
    assert (job.grace, job.redelivery_grace) == (timedelta(hours=1), timedelta(hours=24))
    assert job.unreferenced
    assert not job.allow_gaps
    assert job.concurrency == 128
    assert job.trail == trail()


def test_every_option_reaches_the_job(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    status, stand_in = verify(
        *["--trail-arn", ARN, "--start-time", "2026-03-01", "--end-time", "2026-03-02T01:00+01:00"],
        *["--account-id", ACCOUNT, "--account-id", "000000000001", "--account-id", ACCOUNT],
        *["--source-region", "us-east-1", "--source-region", "us-gov-west-1"],
        *["--s3-bucket", "old", "--s3-prefix", "a/b", "--organization-id", "o-exampleorgid"],
        *["--expected-bucket-owner", ACCOUNT, "--grace", "90m", "--redelivery-grace", "2d"],
        *["--ignore", ACCOUNT, "--ignore", f"{ACCOUNT}/us-east-1", "--keys", str(keys)],
        *["--allow-gaps", "--no-unreferenced", "--concurrency", "64"],
        *["--profile", "audit", "--region", "eu-central-1"],
    )
    assert status == 0
    assert stand_in.claim == Claim(
        name=ARN, bucket="old", prefix="a/b", organization_id="o-exampleorgid"
    )
    assert stand_in.access == Access(
        profile="audit",
        region="eu-central-1",
        expected_bucket_owner=ACCOUNT,
        keys_file=keys,
        concurrency=64,
    )
    (job,) = stand_in.jobs
    assert job.window.start == datetime(2026, 3, 1, tzinfo=UTC)
    assert job.window.end == datetime(2026, 3, 2, tzinfo=UTC)
    assert job.account_ids == (ACCOUNT, "000000000001")
    assert job.source_regions == ("us-east-1", "us-gov-west-1")
    assert job.ignored == (ACCOUNT, f"{ACCOUNT}/us-east-1")
    assert (job.grace, job.redelivery_grace) == (timedelta(minutes=90), timedelta(days=2))
    assert job.allow_gaps
    assert not job.unreferenced
    assert job.concurrency == 64


def test_trails_without_validation_in_the_same_place_reach_the_job() -> None:
    stand_in = StandIn(neighbours=(trail("another", validation=False),))
    main(["verify"], wiring=stand_in)
    assert stand_in.jobs[0].unsigned_neighbours == (trail("another", validation=False),)


def test_a_profile_can_supply_the_keys() -> None:
    _, stand_in = verify("--keys-profile", "other")
    assert stand_in.access == Access(keys_profile="other")


def test_last_reaches_back_from_the_end() -> None:
    _, stand_in = verify("--last", "7d", "--end-time", "2026-03-07")
    assert stand_in.jobs[0].window.start == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_slash_at_the_end_of_the_prefix_is_taken_off_and_said(capsys: Captured) -> None:
    _, stand_in = verify("--trail-arn", "main", "--s3-prefix", "a/b/")
    assert stand_in.claim == Claim(name="main", prefix="a/b")
    assert "the slash at its end was taken off" in capsys.readouterr().err
    verify("--trail-arn", "main", "--s3-prefix", "a/b/", "--quiet")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--last", "1h", "--start-time", "2026-03-01"], "--last and --start-time"),
        (["--start-time", "2026-03-02", "--end-time", "2026-03-01"], "must be before --end-time"),
        (["--start-time", "2199-01-01"], "the window is empty"),
        (["--start-time", "today"], "expected ISO 8601"),
        (["--end-time", "x\x1b[2J"], r"'x\x1b[2J' is no time"),
        (["--last", "soon"], "90m, 24h, 7d"),
        (["--grace", "1"], "90m, 24h, 7d"),
        (["--redelivery-grace", "-1h"], "90m, 24h, 7d"),
        (["--account-id", "123"], "expected 12 digits, such as 111122223333"),
        (["--account-id", "11112222333a"], "expected 12 digits"),
        (["--expected-bucket-owner", "me"], "expected 12 digits"),
        (["--source-region", "us-east1"], "such as us-east-1"),
        (["--source-region", "US-EAST-1"], "such as us-east-1"),
        (["--region", "virginia"], "such as us-east-1"),
        (["--ignore", "us-east-1"], "111122223333/us-east-1"),
        (["--organization-id", "ou-1"], "as in o-exampleorgid"),
        (["--trail-arn", "arn:aws:s3:::bucket"], "expected arn:aws:cloudtrail:REGION"),
        (["--trail-arn", f"{ARN}\n"], "expected arn:aws:cloudtrail:REGION"),
        (["--trail-arn", "a/b"], "integrity trails lists them"),
        (["--trail-arn", "main", "--s3-bucket", "s3://logs"], "without s3://"),
        (["--s3-bucket", "logs"], "--s3-bucket needs to know whose files lie there"),
        (["--s3-prefix", "logs"], "--s3-prefix needs to know whose files lie there"),
        (["--organization-id", "o-exampleorgid"], "--organization-id needs to know"),
        (["--keys", "/no/such/file"], "does not exist"),
        (["--concurrency", "0"], "1<=x<=1024"),
        (["--concurrency", "1025"], "1<=x<=1024"),
        (["--format", "xml"], "'text', 'json'"),
        (["--time-zone", "Mars"], "such as Europe/Berlin"),
        (["--verbose", "--quiet"], "contradict each other"),
        (["--no-such-option"], "No such option"),
        (["main"], "unexpected extra argument"),
    ],
)
def test_a_mistyped_command_is_told_what_to_type_and_checks_nothing(
    arguments: list[str], told: str, capsys: Captured
) -> None:
    status, stand_in = verify(*arguments)
    shown = capsys.readouterr()
    assert status == 2
    assert told in shown.err
    assert shown.out == ""
    assert stand_in.claim is None
    assert "Traceback" not in shown.err


def test_keys_come_from_one_place(tmp_path: Path, capsys: Captured) -> None:
    assert verify("--keys", str(tmp_path), "--keys-profile", "p")[0] == 2
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    assert verify("--keys", str(keys), "--keys-profile", "p")[0] == 2
    assert "leave one of them out" in capsys.readouterr().err


def test_what_stops_a_command_is_one_escaped_line_on_standard_error(capsys: Captured) -> None:
    for error, status in ((UsageError, 2), (AccessError, 3)):
        stand_in = StandIn(refusal=error("no trail \x1b[2J: integrity trails lists them"))
        assert main(["verify"], wiring=stand_in) == status
        shown = capsys.readouterr()
        assert shown.err == "Error: no trail \\x1b[2J: integrity trails lists them\n"
        assert shown.out == ""


def test_a_fault_of_ours_asks_for_a_report_and_says_nothing_of_the_trail(capsys: Captured) -> None:
    fault = RuntimeError("index \x1b[2J out of range")
    assert verify(answers=[fault])[0] == 70
    brief = capsys.readouterr()
    assert brief.out == ""
    assert brief.err.count("\n") == 1
    assert "RuntimeError: index \\x1b[2J out of range" in brief.err
    assert "report it" in brief.err
    assert "says nothing about the trail" in brief.err
    assert verify("--verbose", answers=[fault])[0] == 70
    long = capsys.readouterr().err
    assert "Traceback (most recent call last)" in long
    assert "\x1b" not in long


def test_the_report_is_on_standard_output_and_errors_are_not(capsys: Captured) -> None:
    verify(answers=[INVALID])
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].startswith(f"Validating log files for trail {ARN} between ")
    assert f"Log file\t{log_uri(5)}\tINVALID: not found" in lines
    assert lines[-1].startswith("INVALID: ")
    assert lines[-1].endswith("(exit status 1)")
    assert shown.err == ""
    assert shown.out.isascii()


def test_several_trails_follow_each_other_and_end_in_a_summary(capsys: Captured) -> None:
    verify(answers=[run(), UNREACHED, INVALID])
    shown = capsys.readouterr()
    assert shown.out.count("Validating log files for trail") == 2
    assert shown.out.splitlines()[-1] == "2 trails: 1 INVALID, 1 VALID (exit status 1)"
    assert shown.out.count("exit status") == 1
    assert shown.err == f"Error: {trail('main1').arn}: {UNREACHED}\n"


def test_json_is_the_record_one_document_a_line(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert verify("--format", "json", answers=[run(), INVALID])[0] == 1
    out = capsysbinary.readouterr().out
    first, second = out.splitlines()
    assert decode(first) == replace(run(), trail_arn=trail().arn)
    assert decode(second) == replace(INVALID, trail_arn=trail("main1").arn)
    assert out == encode(decode(first)) + b"\n" + encode(decode(second)) + b"\n"
    assert json.loads(first)["outcome"] == "valid"


def test_json_is_utf_8_whatever_a_key_holds(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    record = run(finding(Reason.DIGEST_FOREIGN, s3_uri="s3://logs/\u76e3\x1b\n"))
    verify("--format", "json", "--verbose", answers=[record])
    (line,) = capsysbinary.readouterr().out.splitlines()
    assert decode(line).findings == record.findings


@pytest.mark.parametrize("shape", ["text", "json"])
def test_quiet_prints_nothing_at_all_when_valid(shape: str, capsys: Captured) -> None:
    valid: list[list[Answer]] = [[run()], [run(), run()], [FORGIVEN], [run(), NEVER_SIGNED]]
    for answers in valid:
        assert verify("--quiet", "--format", shape, answers=answers)[0] == 0
        assert capsys.readouterr() == ("", "")


def test_quiet_prints_bad_news_alone(capsys: Captured) -> None:
    assert verify("--quiet", answers=[run(), INVALID, NEVER_SIGNED])[0] == 1
    out = capsys.readouterr().out
    assert out.count("Validating log files for trail") == 1
    assert out.startswith(f"Validating log files for trail {trail('main1').arn} ")
    assert out.splitlines()[-1].startswith("3 trails: 1 INVALID")
    assert verify("--quiet", "--format", "json", answers=[run(), GAP])[0] == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert decode(line.encode()).outcome is Outcome.UNDETERMINED


def test_verbose_tells_each_valid_file_after_the_header(capsys: Captured) -> None:
    def answer(progress: Progress) -> Run:
        progress.expect(1)
        progress.valid_digest(S3Location("logs", "d\x1b[2J"))
        progress.valid_log(S3Location("logs", "l"))
        progress.done(1, 1000)
        return run()

    verify("--verbose", answers=[answer])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Validating log files for trail ")
    assert lines[2:5] == [
        "Digest file\ts3://logs/d\\x1b[2J\tvalid",
        "Log file\ts3://logs/l\tvalid",
        "",
    ]
    assert sum(line.startswith("Validating") for line in lines) == 1
    verify("--verbose", "--format", "json", answers=[answer])
    assert len(capsys.readouterr().out.splitlines()) == 1
    verify(answers=[answer])
    assert "\tvalid" not in capsys.readouterr().out


def test_times_are_shown_in_the_zone_that_was_asked_for(capsys: Captured) -> None:
    _, stand_in = verify("--time-zone", "Asia/Tokyo", "--start-time", "2026-03-01")
    assert "2026-03-01T09:00:00+09:00" in capsys.readouterr().out
    assert stand_in.jobs[0].window.start == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_narrowed_run_says_so(capsys: Captured) -> None:
    verify("--account-id", ACCOUNT, answers=[run(account_ids=(ACCOUNT,))])
    lines = capsys.readouterr().out.splitlines()
    assert f"narrowed to account {ACCOUNT}" in lines[0]
    assert f"narrowed to account {ACCOUNT}" in lines[-1]


def test_what_was_judged_before_an_interrupt_is_shown(capsys: Captured) -> None:
    assert verify(answers=[INVALID, KeyboardInterrupt()])[0] == 130
    shown = capsys.readouterr()
    assert "INVALID: not found" in shown.out
    assert shown.err.startswith("Interrupted: what was judged so far is written")


def test_a_forgiven_gap_is_still_named(capsys: Captured) -> None:
    assert verify("--allow-gaps", answers=[FORGIVEN])[0] == 0
    out = capsys.readouterr().out
    assert "UNDETERMINED: not covered by any digest file" in out
    assert "forgiven by --allow-gaps (exit status 0)" in out


def test_an_invalid_chain_is_never_status_0(capsys: Captured) -> None:
    record = run(chains=(chain(outcome=Outcome.INVALID),))
    assert verify("--quiet", answers=[record])[0] == 1
    assert capsys.readouterr().out
