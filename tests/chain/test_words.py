"""The line of a finding: the AWS CLI's words, one line, whatever a stranger named."""

from __future__ import annotations

import pytest

from integrity.chain.findings import CLAUSES, Outcome, Place, Reason, find
from integrity.chain.words import WORDS, line
from tests.chain.specimens import hours

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
PLACE = Place("111122223333", "us-east-1")


def test_every_reason_has_words() -> None:
    assert WORDS.keys() == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_line_has_the_outcome_in_capitals_and_stays_one_line(reason: Reason) -> None:
    uri = "s3://b/CloudTrail/a\n\x1b[2J\tvalid"
    said = line(find(reason, PLACE, hours(4, 5), s3_uri=uri, detail="x\ny"), ARN)

    kind, place, verdict = said.split("\t")
    word = {"invalid": "INVALID", "undetermined": "UNDETERMINED", "valid": "NOTE"}
    assert kind.endswith(("Digest file", "Log file", "Object"))
    assert place == r"s3://b/CloudTrail/a\n\x1b[2J\tvalid"
    assert verdict.startswith(f"{word[CLAUSES[reason].outcome.value]}: ")
    assert "\n" not in said
    assert said.replace("\t", "").isprintable()


@pytest.mark.parametrize("reason", Reason)
def test_invalid_stands_on_the_lines_of_what_is_invalid_alone(reason: Reason) -> None:
    said = line(find(reason, PLACE, hours(4, 5)), ARN)

    assert ("INVALID" in said) is (CLAUSES[reason].outcome is Outcome.INVALID)


def test_a_finding_without_a_file_names_its_chain_or_the_trail() -> None:
    gap = line(find(Reason.CHAIN_GAP, PLACE, hours(4, 5)), ARN)
    off = line(find(Reason.TRAIL_OFF, PLACE, hours(4, 5)), ARN)

    assert gap.startswith("Chain\taccount 111122223333, region us-east-1\tUNDETERMINED: ")
    assert off == f"Trail\t{ARN}\tUNDETERMINED: does not sign its log files"
