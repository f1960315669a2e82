"""The same findings from a bundle, and from a plain copy, as from where the files are."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from integrity.chain.findings import Finding, Outcome, Reason
from integrity.record import Run
from integrity.structs import replace
from integrity.verify.ports import Witnesses
from integrity.wiring import Offline
from tests.offline.stage import (
    collect,
    job_of,
    run_of,
    save_keys,
    sources_of,
    sync,
    verify_offline,
)
from tests.scenarios import SCENARIOS, Scenario, Stage

LATER = timedelta(days=400)
LIVE = {Reason.HEAD_REWOUND, Reason.HEAD_STALE, Reason.TRAIL_OFF}
BY_METADATA = {
    Reason.DIGEST_SIGNATURE_MISSING,
    Reason.DIGEST_SIGNATURE_INVALID,
    Reason.DIGEST_KEY_UNKNOWN,
    Reason.DIGEST_LINK_MISMATCH,
}
BY_CONTENT = {
    Reason.DIGEST_MALFORMED,
    Reason.DIGEST_MOVED,
    Reason.DIGEST_CLAIM_MISMATCH,
    Reason.DIGEST_FOREIGN,
    Reason.DIGEST_LATE,
    Reason.LOG_MISSING,
    Reason.LOG_HASH_MISMATCH,
    Reason.LOG_MALFORMED,
    Reason.LOG_TRAILING_DATA,
    Reason.CHAIN_GAP,
    Reason.LIMIT_EXCEEDED,
}


def named(scenario: Scenario) -> str:
    return scenario.name


def still(run: Run) -> list[Finding]:
    """What does not need the live bucket; `head_rewound` takes the place of `no_digests`."""
    left = LIVE | {Reason.NO_DIGESTS}
    return [finding for finding in run.findings if finding.reason not in left]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=named)
def test_a_bundle_has_the_findings_of_its_source(scenario: Scenario, tmp_path: Path) -> None:
    stage = scenario.stage()
    ours = collect(stage, tmp_path / "bundle")
    again = run_of(job_of(stage), sources_of(stage), stage.world.now)
    assert ours.findings == again.findings
    theirs = verify_offline(Offline(folder=tmp_path / "bundle"), stage.world.now + LATER)
    assert still(theirs) == still(ours)
    assert theirs.totals == ours.totals
    assert theirs.keys == ours.keys
    assert (theirs.run.source, theirs.run.judged_at) == ("bundle", ours.run.judged_at)
    assert [c.covered for c in theirs.chains] == [c.covered for c in ours.chains]
    lost = {finding.reason for finding in ours.findings} & {Reason.HEAD_REWOUND, Reason.NO_DIGESTS}
    told = {finding.reason for finding in theirs.findings} & {Reason.NO_DIGESTS}
    assert not told or lost
    assert theirs.outcome is ours.outcome or Reason.HEAD_REWOUND in lost


def elsewhere(scenario: Scenario) -> bool:
    """Whether the story is not of one bucket's files: somebody is denied, or there is no digest."""
    stage = scenario.stage()
    classes = {stage.world.objects[place].storage_class for place in stage.world.objects}
    digests = [digest for chain in stage.world.chains for digest in chain.digests]
    there = any(digest.address in stage.world.objects for digest in digests)
    buckets = {digest.bucket for digest in digests}
    is_trail = stage.trail_name is None
    return len(buckets) > 1 or len(classes) > 1 or bool(stage.denied) or not (there and is_trail)


COPIED = [scenario for scenario in SCENARIOS if not elsewhere(scenario)]


def told_of(run: Run, reasons: set[Reason]) -> set[tuple[Reason, str | None, datetime]]:
    found = [finding for finding in run.findings if finding.reason in reasons]
    return {(finding.reason, finding.s3_uri, finding.window.end) for finding in found}


@pytest.mark.parametrize("scenario", COPIED, ids=named)
def test_a_plain_copy_says_of_content_what_its_source_says(
    scenario: Scenario, tmp_path: Path
) -> None:
    stage = scenario.stage()
    job = job_of(stage)
    ours = run_of(job, replace(sources_of(stage), witnesses=Witnesses()), stage.world.now)
    offline = Offline(
        folder=sync(stage.world, stage.trail.bucket, tmp_path / "copy"),
        original=(stage.trail.bucket, ""),
        keys_file=save_keys(stage.world, tmp_path / "keys.json"),
    )
    theirs = verify_offline(
        offline,
        stage.world.now,
        name=job.trail.arn,
        fit=lambda found: replace(job, trail=found.trail),
    )
    assert told_of(theirs, BY_CONTENT) == told_of(ours, BY_CONTENT)
    broken = {f.reason for f in ours.findings if f.outcome is Outcome.INVALID} - BY_METADATA
    assert not broken or theirs.outcome is not Outcome.VALID
    unproven = told_of(theirs, {Reason.DIGEST_UNPROVEN})
    for _, uri, _ in unproven:
        assert is_last(stage, theirs, uri or "")
    heads = {chain.head.s3_uri for chain in theirs.chains if chain.head is not None}
    assert heads.isdisjoint(uri for _, uri, _ in unproven)


def is_last(stage: Stage, run: Run, uri: str) -> bool:
    """Whether no digest that is there, and is one, names this one as its predecessor."""
    flawed = {f.s3_uri for f in run.findings if f.reason is not Reason.DIGEST_LINK_MISMATCH}
    for chain in stage.world.chains:
        for digest in [*chain.digests, *chain.backfills]:
            there = digest.address in stage.world.objects
            named = json.loads(digest.body_json).get("previousDigestS3Object")
            at = f"s3://{digest.bucket}/{digest.key}"
            if there and at not in flawed and named is not None and uri.endswith(named):
                return False
    return True


def test_what_was_in_another_bucket_is_told_once_a_chain(tmp_path: Path) -> None:
    (scenario,) = (scenario for scenario in SCENARIOS if scenario.name == "bucket changed")
    stage = scenario.stage()
    job = job_of(stage)
    offline = Offline(
        folder=sync(stage.world, stage.trail.bucket, tmp_path / "copy"),
        original=(stage.trail.bucket, ""),
        keys_file=save_keys(stage.world, tmp_path / "keys.json"),
    )
    run = verify_offline(
        offline,
        stage.world.now,
        name=job.trail.arn,
        fit=lambda found: replace(job, trail=found.trail),
    )
    (finding,) = (f for f in run.findings if f.reason is Reason.OBJECT_UNREADABLE)
    assert finding.detail.startswith("it lies outside of the copy, which holds s3://new-logs/; ")
    assert finding.count > 1


def test_without_an_answer_of_aws_there_is_none_to_leave_out() -> None:
    stage = SCENARIOS[0].stage()
    job = replace(job_of(stage), is_collected=True)
    alone = replace(sources_of(stage), witnesses=Witnesses())
    assert run_of(job, alone, stage.world.now).outcome is Outcome.VALID
