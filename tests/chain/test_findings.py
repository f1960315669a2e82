"""Outcomes, how they combine, and that no finding leaves a person without the next step."""

from __future__ import annotations

import itertools

import pytest

from integrity.chain.findings import CLAUSES, Finding, Outcome, Place, Reason, find, worst
from tests.chain.specimens import hours

PLACE = Place("111122223333", "eu-west-1")
URI = "s3://trail-logs/AWSLogs/111122223333/an-object"
V, U, X = Outcome.VALID, Outcome.UNDETERMINED, Outcome.INVALID

# findings.md, the table of reasons; the two that are not told apart by an object have none.
OUTCOMES = {
    "digest_missing": X,
    "digest_late": U,
    "object_expired": U,
    "digest_malformed": X,
    "digest_moved": X,
    "digest_claim_mismatch": X,
    "digest_signature_missing": X,
    "digest_signature_invalid": X,
    "digest_key_unknown": X,
    "digest_link_mismatch": X,
    "digest_unproven": U,
    "log_missing": X,
    "log_hash_mismatch": X,
    "log_malformed": X,
    "log_trailing_data": X,
    "head_rewound": X,
    "trail_off": U,
    "no_digests": U,
    "chain_gap": U,
    "head_stale": U,
    "digest_foreign": V,
    "log_unreferenced": U,
    "algorithm_unsupported": U,
    "object_unreadable": U,
    "keys_unavailable": U,
    "limit_exceeded": U,
    "event_unconfirmed": U,
}


def finding(reason: Reason = Reason.LOG_MISSING, number: int = 0, detail: str = "") -> Finding:
    window = hours(number, number + 1)
    return find(reason, PLACE, window, s3_uri=f"{URI}-{number:04}", detail=detail)


@pytest.mark.parametrize("outcomes", list(itertools.permutations([V, U, X])))
def test_the_worst_wins_in_any_order(outcomes: tuple[Outcome, ...]) -> None:
    assert worst(outcomes) is X
    assert worst(outcome for outcome in outcomes if outcome is not X) is U


def test_nothing_at_all_is_undetermined() -> None:
    assert worst([]) is U
    assert worst([V]) is V


def test_every_reason_has_its_outcome() -> None:
    assert {reason.value: clause.outcome for reason, clause in CLAUSES.items()} == OUTCOMES
    assert CLAUSES.keys() == set(Reason)


@pytest.mark.parametrize("uri", [URI, None], ids=["object", "chain"])
@pytest.mark.parametrize("reason", Reason)
def test_no_message_lacks_what_where_which_hour_and_what_next(
    reason: Reason, uri: str | None
) -> None:
    made = find(reason, PLACE, hours(4, 5), s3_uri=uri, detail="the detail")

    assert made.message.startswith(CLAUSES[reason].what)
    assert "account 111122223333, region eu-west-1" in made.message
    assert uri is None or uri in made.message
    assert "2026-03-01T04:00:00Z to 2026-03-01T05:00:00Z" in made.message
    assert "(the detail)" in made.message
    assert made.message.endswith(f"Next: {CLAUSES[reason].next_step}.")
    assert "\n" not in made.message


@pytest.mark.parametrize("reason", Reason)
def test_a_clause_is_a_part_of_a_sentence(reason: Reason) -> None:
    clause = CLAUSES[reason]

    for part in (clause.what, clause.next_step):
        assert len(part) > 10
        assert not part.endswith(".")
        assert part == part.strip()


def test_a_finding_may_say_its_own_outcome_and_next_step() -> None:
    note = find(Reason.TRAIL_OFF, PLACE, hours(0, 24), outcome=V, next_step="do nothing")

    assert note.outcome is V
    assert note.message.endswith("Next: do nothing.")
