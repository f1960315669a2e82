"""Digests that CloudTrail itself has signed, oddly: for checks that no attacker's act reaches."""

from __future__ import annotations

from integrity.lab import attacks
from integrity.lab.naming import iso
from tests.scenarios.digests import NO_ALGORITHMS
from tests.scenarios.stage import (
    MINUTE,
    Difference,
    Scenario,
    Stage,
    U,
    X,
    digest,
)

NO_CLAIMS = Difference(why="of what a digest says of itself it compares the place alone")
NO_LINKS = Difference(
    why="it follows the predecessor's name, and compares neither hash nor signature"
)


def replaced(stage: Stage) -> None:
    """Under the name of one digest lies another that CloudTrail signed, which names a log less."""
    one = digest(stage)
    logs = one.document["logFiles"][1:]
    attacks.resign(stage.world, stage.chain, one, relink=False, logFiles=logs)


def hashed_otherwise(stage: Stage) -> None:
    one = digest(stage)
    logs = [entry | {"hashAlgorithm": "SHA3-512"} for entry in one.document["logFiles"]]
    attacks.resign(stage.world, stage.chain, one, logFiles=logs)


RESIGNED = [
    Scenario(
        "predecessor's hash contradicted",
        lambda s: attacks.wrong_previous_hash(s.world, s.chain, digest(s)),
        ("digest_link_mismatch",),
        X,
        NO_LINKS,
    ),
    Scenario(
        "predecessor's signature contradicted",
        lambda s: attacks.wrong_previous_signature(s.world, s.chain, digest(s)),
        ("digest_link_mismatch",),
        X,
        NO_LINKS,
    ),
    Scenario(
        "digest replaced by another one of CloudTrail's",
        replaced,
        ("digest_link_mismatch", "log_unreferenced"),
        X,
        NO_LINKS,
    ),
    Scenario(
        "another account inside",
        lambda s: attacks.wrong_account(s.world, s.chain, digest(s)),
        ("digest_claim_mismatch",),
        X,
        NO_CLAIMS,
    ),
    Scenario(
        "another end inside",
        lambda s: attacks.resign(
            s.world, s.chain, digest(s), digestEndTime=iso(digest(s).end - 5 * MINUTE)
        ),
        ("digest_claim_mismatch",),
        X,
        NO_CLAIMS,
    ),
    Scenario(
        "a start after the predecessor's end",
        lambda s: attacks.start_after_predecessor(s.world, s.chain, digest(s)),
        ("chain_gap",),
        U,
        Difference(why="it never asks whether a digest begins where the one before it ended"),
    ),
    Scenario(
        "digest without a list of log files",
        lambda s: attacks.without_log_files(s.world, s.chain, digest(s)),
        ("digest_malformed",),
        X,
        Difference(why="it crashes on the missing field, and sums nothing up", status=255),
    ),
    Scenario(
        "digest with a list of log files that is none",
        lambda s: attacks.resign(s.world, s.chain, digest(s), logFiles={"s3Object": 1}),
        ("digest_malformed",),
        X,
        Difference(why="it crashes on the wrong type, and sums nothing up", status=255),
    ),
    Scenario(
        "hash algorithm that nobody knows",
        hashed_otherwise,
        ("algorithm_unsupported",) * 2,
        U,
        NO_ALGORITHMS,
    ),
    Scenario(
        "predecessor's hash algorithm that nobody knows",
        lambda s: attacks.resign(
            s.world, s.chain, digest(s), previousDigestHashAlgorithm="SHA3-512"
        ),
        ("algorithm_unsupported",),
        U,
        NO_ALGORITHMS,
    ),
    Scenario(
        "label and body name a new algorithm",
        lambda s: attacks.unknown_signature_algorithm(s.world, s.chain, digest(s)),
        ("algorithm_unsupported",),
        U,
        NO_ALGORITHMS,
    ),
    Scenario(
        "body names a new algorithm, its label the old one",
        lambda s: attacks.unknown_signature_algorithm(
            s.world, s.chain, digest(s), label="SHA256withRSA"
        ),
        ("digest_signature_invalid",),
        X,
        NO_ALGORITHMS,
    ),
]
