"""What is done to digest files and to the metadata that carries their signature."""

from __future__ import annotations

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import MD5

from integrity.lab import attacks
from integrity.lab.attacks import Malformation
from integrity.lab.objects import LabDigest
from integrity.lab.signing import string_to_sign
from tests.scenarios.stage import (
    HOUR,
    MINUTE,
    START,
    Act,
    Difference,
    Scenario,
    Stage,
    U,
    V,
    X,
    both,
    digest,
    window,
)

MALFORMED = ("digest_malformed",)
NOT_SIGNED = ("digest_signature_missing",)
WRONGLY_SIGNED = ("digest_signature_invalid",)

NO_SUCCESSOR = Difference(
    why="it does not ask the successor, which states the signature: the log files stay unchecked",
    status=1,
)
FIRST_MEMBER = Difference(why="it inflates the first member of a digest and forgets the rest")
NO_ALGORITHMS = Difference(why="it does not read which algorithms are named")


def malformed(how: Malformation) -> Act:
    return lambda stage: attacks.malform_digest(stage.world, digest(stage), how)


def moved_away(stage: Stage) -> None:
    """To a name that CloudTrail could have chosen, half an hour off."""
    one = digest(stage)
    at = one.end - 30 * MINUTE
    name = one.key.replace(f"{one.end:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%dT%H%M%SZ}")
    attacks.move_digest(stage.world, one, key=name)


def md5_signed(stage: Stage) -> None:
    """CloudTrail's own key has signed the MD5 of the string, and the metadata carries that."""
    one = digest(stage)
    keys = stage.world.public_keys(one.region)
    signer = next(key for key in keys if key.fingerprint == one.fingerprint)
    message = string_to_sign(one.document, one.body_json)
    signature = signer.private.sign(message, PKCS1v15(), MD5()).hex()
    attacks.bad_signature_hex(stage.world, one, text=signature)


def backfilled(stage: Stage) -> LabDigest:
    """Two backfill digests, of which the later one is of the earlier hour."""
    late = stage.world.backfill(
        stage.chain, end=START + HOUR * 10, generated_at=START + timedelta(hours=25, minutes=10)
    )
    stage.world.backfill(
        stage.chain, end=START + HOUR * 8, generated_at=START + timedelta(hours=26, minutes=10)
    )
    return late


def tampered_backfill(stage: Stage) -> None:
    attacks.tamper_backfill(stage.world, backfilled(stage))


def backfill_log_gone(stage: Stage) -> None:
    attacks.delete_log(stage.world, backfilled(stage).log_files[0])


def untimed_backfill(stage: Stage) -> None:
    backfilled(stage)
    attacks.untime_backfill(stage.world, stage.chain.backfills[-1])


def upper_case(stage: Stage) -> None:
    one = digest(stage)
    attacks.bad_signature_hex(stage.world, one, text=one.signature.upper())


DIGESTS = [
    Scenario(
        "digest edited",
        lambda s: attacks.edit_digest(s.world, digest(s)),
        WRONGLY_SIGNED,
        X,
    ),
    Scenario(
        "two digests edited in a row",
        both(
            lambda s: attacks.edit_digest(s.world, digest(s, 8)),
            lambda s: attacks.edit_digest(s.world, digest(s, 9)),
        ),
        WRONGLY_SIGNED * 2,
        X,
    ),
    Scenario("digest malformed: not gzip", malformed("not-gzip"), MALFORMED, X),
    Scenario("digest malformed: cut", malformed("cut"), MALFORMED, X),
    Scenario("digest malformed: empty", malformed("empty"), MALFORMED, X),
    Scenario("digest malformed: not JSON", malformed("not-json"), MALFORMED, X),
    Scenario("digest malformed: not UTF-8", malformed("not-utf-8"), MALFORMED, X),
    Scenario("digest malformed: a field is gone", malformed("missing-field"), MALFORMED, X),
    Scenario(
        "digest malformed: a list",
        malformed("not-an-object"),
        MALFORMED,
        X,
        Difference(why="it prints Python's own complaint about what is no object", status=1),
    ),
    Scenario("digest with a field twice", malformed("duplicate-field"), WRONGLY_SIGNED, X),
    Scenario(
        "digest malformed: nested too deep",
        malformed("deep"),
        MALFORMED,
        X,
        Difference(why="its JSON reader runs out of stack", status=1),
    ),
    Scenario(
        "digest malformed: wrong types",
        malformed("wrong-types"),
        MALFORMED,
        X,
        Difference(why="it looks for names of fields, not at what stands in them", status=1),
    ),
    Scenario(
        "digest that inflates beyond all bounds",
        malformed("bomb"),
        ("limit_exceeded",),
        U,
        Difference(why="it knows no bound, and takes into memory whatever it is given", status=1),
    ),
    Scenario(
        "every digest malformed",
        lambda s: attacks.garble_digests(s.world, s.chain.digests),
        MALFORMED * 26,
        X,
    ),
    Scenario(
        "bytes behind a digest",
        lambda s: attacks.append_to_digest(s.world, digest(s)),
        MALFORMED,
        X,
        FIRST_MEMBER,
    ),
    Scenario(
        "a second member behind a digest",
        lambda s: attacks.second_member_on_digest(s.world, digest(s)),
        MALFORMED,
        X,
        FIRST_MEMBER,
    ),
    Scenario(
        "digest moved",
        lambda s: attacks.replay_digest(s.world, digest(s, 8), over=digest(s, 9)),
        ("digest_moved",),
        X,
    ),
    Scenario("digest moved away", moved_away, ("digest_missing", "digest_moved"), X),
    Scenario(
        "newest digest unsigned",
        both(
            lambda s: window(s, 0, 26),
            lambda s: attacks.unsign_digest(s.world, s.chain.digests[-1]),
        ),
        NOT_SIGNED,
        X,
    ),
    Scenario(
        "digest unsigned",
        lambda s: attacks.unsign_digest(s.world, digest(s)),
        NOT_SIGNED,
        X,
        NO_SUCCESSOR,
    ),
    Scenario(
        "digest under another signature",
        lambda s: attacks.wrong_signature(s.world, digest(s)),
        WRONGLY_SIGNED,
        X,
        NO_SUCCESSOR,
    ),
    Scenario(
        "signature that is no hex",
        lambda s: attacks.bad_signature_hex(s.world, digest(s)),
        WRONGLY_SIGNED,
        X,
        Difference(
            why="it prints Python's own complaint, and leaves the log files unchecked", status=1
        ),
    ),
    Scenario(
        "signature in capitals",
        upper_case,
        WRONGLY_SIGNED,
        X,
        Difference(why="it takes any spelling of hex, though CloudTrail writes but one"),
    ),
    Scenario(
        "signature over another hash",
        md5_signed,
        WRONGLY_SIGNED,
        X,
        Difference(why="it believes the signature as to which hash was signed, be it MD5"),
    ),
    Scenario(
        "signature relabelled",
        lambda s: attacks.relabel_algorithm(s.world, digest(s)),
        WRONGLY_SIGNED,
        X,
        NO_ALGORITHMS,
    ),
    Scenario(
        "digest signed with a foreign key",
        lambda s: attacks.foreign_key(s.world, digest(s)),
        ("digest_key_unknown",),
        X,
    ),
    Scenario(
        "digest signed with a foreign key in another region",
        lambda s: attacks.foreign_key(s.world, digest(s)),
        ("digest_key_unknown",),
        X,
        Difference(
            why="it names the trail's home region, though it asked the source region", status=1
        ),
        made={"region": "eu-west-1"},
    ),
    Scenario(
        "digest signed with a foreign key under CloudTrail's fingerprint",
        lambda s: attacks.foreign_key(s.world, digest(s), own_fingerprint=False),
        WRONGLY_SIGNED,
        X,
    ),
    Scenario("backfill", backfilled, (), V),
    Scenario("backfill tampered", tampered_backfill, WRONGLY_SIGNED, X),
    Scenario("backfill log deleted", backfill_log_gone, ("log_missing",), X),
    Scenario(
        "backfill without its time",
        untimed_backfill,
        NOT_SIGNED,
        X,
        Difference(
            why="it says `invalid format` of this metadata, unlike of the signature's", status=1
        ),
    ),
]
