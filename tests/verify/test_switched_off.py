"""Each check switched off in turn lets its attack pass: that proves the check, and its test.

With the check on its reason is found, and no other; with it off nothing is, and the run is valid.
A switch replaces the one function that makes the difference, where it is called from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrity.chain import coverage, judge
from integrity.chain.content import Buffer
from integrity.chain.coverage import Coverage, Situation
from integrity.chain.decode import decode_digest
from integrity.chain.findings import Finding, Outcome, Reason
from integrity.chain.judge import KeyAnswer, Opened, judge_form
from integrity.chain.limits import Limits
from integrity.chain.link import Standing
from integrity.chain.model import (
    AuthenticDigest,
    Digest,
    Fetched,
    PublicKey,
    S3Location,
    Unreachable,
    Witness,
)
from integrity.chain.names import DigestName
from integrity.chain.times import format_instant
from integrity.chain.unnamed import Claim
from integrity.lab import attacks
from integrity.lab.keys import LabKey, pooled_key
from integrity.record import Run, outcome_of
from integrity.service import reconcile
from integrity.state import Sighting
from integrity.structs import replace
from integrity.verify import checking, join, judged, unnamed, whole
from integrity.verify.judged import DigestJudge, Judged
from integrity.verify.keyring import KeyRing
from integrity.verify.logs import LogChecker
from integrity.verify.named import NamedLog
from tests.chain.specimens import at
from tests.memory import reasons
from tests.scenarios import SCENARIOS
from tests.service.memory_stage import begun
from tests.verify.stage import Stage, made

Switch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Row:
    """A reason, how its check is switched off, and what it is there for."""

    reason: Reason
    switch_off: Switch
    verify: Callable[[], Run]


# Attacks


def look_for_an_event_that_no_log_file_holds() -> Run:
    """Seen live, and a day later all hours are proven without it."""
    service = begun()
    service.tick()
    service.store.sightings.remember(
        [
            Sighting(
                trail_arn=service.trail.arn,
                event_id="00000000-1111-4222-8333-444444444444",
                event_name="ConsoleLogin",
                account_id="111122223333",
                region="us-east-1",
                time=service.world.now - timedelta(hours=1),
                seen_at=service.world.now,
            )
        ]
    )
    service.pass_hours(24)
    (look,) = service.tick().run.looks
    return look


def told(name: str) -> Callable[[], Run]:
    """One of the stories that are told once for every test."""
    (scenario,) = [scenario for scenario in SCENARIOS if scenario.name == name]
    return lambda: scenario.stage().verify()


def played(act: Callable[[Stage], object], end: float = 26, **options: Any) -> Callable[[], Run]:
    """An attack on a chain of 26 hours, of which so many are verified."""

    def verify() -> Run:
        stage = made()
        act(stage)
        return stage.verify(0, end, **options)

    return verify


def present_a_copy(stage: Stage) -> None:
    """Copies of all digests in another bucket are given out for the trail's own."""
    for digest in stage.chain.digests:
        stage.world.objects["a-copy", digest.key] = stage.world.objects[digest.address]
    stage.trail.place = dataclasses.replace(stage.trail.place, bucket="a-copy")


def lose_the_metadata_of_the_newest(stage: Stage) -> None:
    """As it is in a copy; nobody states the signature of the newest digest."""
    place = stage.chain.digests[-1].address
    stage.world.objects[place] = dataclasses.replace(stage.world.objects[place], metadata={})


def sign_the_newest_with_a_foreign_key(stage: Stage) -> None:
    newest = stage.chain.digests[-1]
    attacks.foreign_key(stage.world, newest, logFiles=newest.document["logFiles"])


def switch_logging_off(stage: Stage) -> None:
    stage.world.status(stage.trail, "us-east-1").is_logging = False


def let_log_files_expire(stage: Stage) -> None:
    stage.world.expire("trail-logs", days=9, prefix="AWSLogs/111122223333/CloudTrail/")


def deafen(stage: Stage) -> None:
    stage.keys.deaf_regions = {"us-east-1": "access denied"}


# Switches


def of_log_files(reason: Reason) -> Switch:
    """Whatever is wrong with a log file in this way is nothing."""
    found = LogChecker._found

    def pass_by(self: LogChecker, one: Reason, log: NamedLog, **known: Any) -> Finding | None:
        return None if one is reason else found(self, one, log, **known)

    return lambda patch: patch.setattr(LogChecker, "_found", pass_by)


def absent_digests(patch: pytest.MonkeyPatch) -> None:
    def absent(self: DigestJudge, name: DigestName, location: S3Location) -> Judged:  # noqa: ARG001
        return Judged(name, location, Standing.UNJUDGED)

    patch.setattr(DigestJudge, "_absent", absent)


def one_whole_member(patch: pytest.MonkeyPatch) -> None:
    def open_leniently(chunks: Iterable[Buffer], *, read_content: Any, **bounds: Any) -> Opened:
        body = bytearray()
        content = read_content(chunks, max_bytes=bounds["max_bytes"], sink=body.extend)
        return Opened(replace(content, flaw=None), decode_digest(bytes(body), content.sha256))

    patch.setattr(judged, "open_digest", open_leniently)


def the_place_of_a_digest(patch: pytest.MonkeyPatch) -> None:
    def anywhere(name: DigestName, fetched: Fetched[Opened], *, trail_owner: str) -> Any:
        document = fetched.content.document
        place = document.location if isinstance(document, Digest) else fetched.location
        return judge_form(name, replace(fetched, location=place), trail_owner=trail_owner)

    patch.setattr(judged, "judge_form", anywhere)


def the_account_of_a_digest(patch: pytest.MonkeyPatch) -> None:
    def anybodys(name: DigestName, fetched: Fetched[Opened], *, trail_owner: str) -> Any:  # noqa: ARG001
        document = fetched.content.document
        assert isinstance(document, Digest)
        return judge_form(name, fetched, trail_owner=document.account_id)

    patch.setattr(judged, "judge_form", anybodys)


def signatures_that_are_gone(patch: pytest.MonkeyPatch) -> None:
    signed = judge.judge_signature

    def trusting(
        name: DigestName, fetched: Fetched[Opened], digest: Digest, key: KeyAnswer
    ) -> AuthenticDigest | Finding:
        if "signature" not in fetched.metadata:
            return AuthenticDigest(digest, "", Witness.METADATA)
        return signed(name, fetched, digest, key)

    patch.setattr(judged, "judge_signature", trusting)


def keys_that_are_not_to_be_had(patch: pytest.MonkeyPatch) -> None:
    def believing(_: DigestName, fetched: Fetched[Opened], digest: Digest, __: KeyAnswer) -> Any:
        return AuthenticDigest(digest, fetched.metadata["signature"], Witness.METADATA)

    patch.setattr(judged, "judge_signature", believing)


def the_rsa_operation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        judge,
        "authenticate",
        lambda digest, signature, _, witness: AuthenticDigest(digest, signature, witness),
    )


def where_a_key_comes_from(patch: pytest.MonkeyPatch) -> None:
    known = KeyRing.key_for

    def anybodys(
        self: KeyRing, fingerprint: str, signed_at: datetime, last_modified: datetime | None
    ) -> KeyAnswer:
        foreign = LabKey.made(pooled_key("attacker"), at(0))
        key = PublicKey("us-east-1", foreign.fingerprint, foreign.der, at(0), at(0), at(0))
        self._add([key])
        return known(self, fingerprint, signed_at, last_modified)

    patch.setattr(KeyRing, "key_for", anybodys)


def links(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(join, "check_links", lambda _: [])
    patch.setattr(checking, "check_links", lambda _: [])


def what_aws_delivered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(coverage, "_rewound", lambda _: None)


def the_trails_own_state(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(whole, "check_trail", lambda *_: [])


def chains_that_are_expected(patch: pytest.MonkeyPatch) -> None:
    """And that nothing at all is never valid."""
    patch.setattr(whole, "_outcome", lambda chains, findings, _: outcome_of(chains, findings))
    patch.setattr(coverage, "_without_digests", lambda *_: Coverage())


def time_that_is_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(coverage, "subtract", lambda *_: [])


def what_is_due(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Situation, "due", property(lambda self: self.window.start))


def objects_of_no_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checking, "find_strangers", lambda *_: iter(()))


def log_files_that_nobody_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(unnamed, "judge_unnamed", lambda *_: Claim.UNATTESTED)


def algorithms_of_signatures(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judged, "judge_algorithm", lambda *_: None)


def log_files_that_do_not_answer(patch: pytest.MonkeyPatch) -> None:
    def pass_by(self: LogChecker, log: NamedLog, answer: Unreachable) -> None:
        """Nothing is found."""

    patch.setattr(LogChecker, "_unreadable", pass_by)


def events_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "_proves", lambda *_: False)


TABLE = [
    Row(Reason.DIGEST_MISSING, absent_digests, told("digest deleted")),
    Row(Reason.DIGEST_MISSING, absent_digests, told("two digests deleted in a row")),
    Row(Reason.DIGEST_LATE, absent_digests, told("digest redelivered late")),
    Row(
        Reason.OBJECT_EXPIRED,
        of_log_files(Reason.OBJECT_EXPIRED),
        played(let_log_files_expire, 24),
    ),
    Row(Reason.DIGEST_MALFORMED, one_whole_member, told("bytes behind a digest")),
    Row(Reason.DIGEST_MALFORMED, one_whole_member, told("a second member behind a digest")),
    Row(Reason.DIGEST_MOVED, the_place_of_a_digest, played(present_a_copy, 24)),
    Row(
        Reason.DIGEST_CLAIM_MISMATCH,
        the_account_of_a_digest,
        told("another account inside"),
    ),
    Row(
        Reason.DIGEST_SIGNATURE_MISSING,
        signatures_that_are_gone,
        played(lambda s: attacks.unsign_digest(s.world, s.chain.digests[-1])),
    ),
    Row(
        Reason.DIGEST_UNPROVEN,
        signatures_that_are_gone,
        played(lose_the_metadata_of_the_newest, is_copy=True),
    ),
    Row(
        Reason.DIGEST_SIGNATURE_INVALID,
        the_rsa_operation,
        played(lambda s: attacks.wrong_signature(s.world, s.chain.digests[-1])),
    ),
    Row(
        Reason.DIGEST_KEY_UNKNOWN,
        where_a_key_comes_from,
        played(sign_the_newest_with_a_foreign_key),
    ),
    Row(Reason.DIGEST_LINK_MISMATCH, links, told("predecessor's hash contradicted")),
    Row(Reason.DIGEST_LINK_MISMATCH, links, told("predecessor's signature contradicted")),
    Row(Reason.LOG_MISSING, of_log_files(Reason.LOG_MISSING), told("log deleted")),
    Row(Reason.LOG_HASH_MISMATCH, of_log_files(Reason.LOG_HASH_MISMATCH), told("log edited")),
    Row(Reason.LOG_MALFORMED, of_log_files(Reason.LOG_MALFORMED), told("log not gzip")),
    Row(
        Reason.LOG_MALFORMED,
        of_log_files(Reason.LOG_MALFORMED),
        told("log without its gzip trailer"),
    ),
    Row(
        Reason.LOG_TRAILING_DATA,
        of_log_files(Reason.LOG_TRAILING_DATA),
        told("log with bytes behind it"),
    ),
    Row(
        Reason.HEAD_REWOUND,
        what_aws_delivered,
        played(lambda s: attacks.delete_newest(s.world, s.chain, 10), 15),
    ),
    Row(Reason.TRAIL_OFF, the_trails_own_state, played(switch_logging_off, 24)),
    Row(Reason.NO_DIGESTS, chains_that_are_expected, told("all digests deleted, nobody to ask")),
    Row(Reason.CHAIN_GAP, time_that_is_open, told("restart hours later")),
    Row(Reason.CHAIN_GAP, time_that_is_open, told("gap laundered by a restart")),
    Row(Reason.CHAIN_GAP, time_that_is_open, told("hour hidden under a starting digest")),
    Row(Reason.HEAD_STALE, what_is_due, told("head cut by one hour in a past window")),
    Row(Reason.DIGEST_FOREIGN, objects_of_no_name, told("digest stamped 9999")),
    Row(Reason.LOG_UNREFERENCED, log_files_that_nobody_names, told("forged log")),
    Row(
        Reason.ALGORITHM_UNSUPPORTED,
        algorithms_of_signatures,
        told("label and body name a new algorithm"),
    ),
    Row(
        Reason.ALGORITHM_UNSUPPORTED,
        of_log_files(Reason.ALGORITHM_UNSUPPORTED),
        told("hash algorithm that nobody knows"),
    ),
    Row(Reason.OBJECT_UNREADABLE, log_files_that_do_not_answer, told("log archived")),
    Row(Reason.KEYS_UNAVAILABLE, keys_that_are_not_to_be_had, played(deafen, 24)),
    Row(
        Reason.LIMIT_EXCEEDED,
        of_log_files(Reason.LIMIT_EXCEEDED),
        played(lambda _: None, 24, limits=Limits(max_log_bytes=100)),
    ),
    Row(Reason.EVENT_UNCONFIRMED, events_that_wait, look_for_an_event_that_no_log_file_holds),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.reason.value)
def test_a_check_that_is_switched_off_lets_its_attack_pass(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = row.verify()
    row.switch_off(monkeypatch)
    unseen = row.verify()

    assert set(reasons(seen)) == {row.reason.value}
    assert reasons(unseen) == []
    assert unseen.outcome is Outcome.VALID


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.reason.value)
def test_what_is_found_says_where_which_hour_and_what_next(row: Row) -> None:
    for finding in row.verify().findings:
        assert f"account {finding.account_id}, region {finding.region}" in finding.message
        assert (finding.s3_uri or "") in finding.message
        assert format_instant(finding.window.start) in finding.message
        assert format_instant(finding.window.end) in finding.message
        assert ". Next: " in finding.message
        assert (finding.account_id, finding.region) == ("111122223333", "us-east-1")


def test_the_table_is_complete() -> None:
    in_the_table = {row.reason for row in TABLE}

    assert in_the_table == set(Reason)
