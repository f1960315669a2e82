"""What is done to log files that a digest names."""

from __future__ import annotations

from integrity.lab import attacks
from tests.scenarios.stage import Difference, Scenario, V, X, digest, log

LOGS = [
    Scenario("log edited", lambda s: attacks.edit_log(s.world, log(s)), ("log_hash_mismatch",), X),
    Scenario("log recompressed", lambda s: attacks.recompress_log(s.world, log(s)), (), V),
    Scenario("log deleted", lambda s: attacks.delete_log(s.world, log(s)), ("log_missing",), X),
    Scenario("log not gzip", lambda s: attacks.plain_log(s.world, log(s)), ("log_malformed",), X),
    Scenario(
        "log with bytes behind it",
        lambda s: attacks.append_to_log(s.world, log(s)),
        ("log_trailing_data",),
        X,
    ),
    Scenario(
        "log with zero bytes behind it",
        lambda s: attacks.append_to_log(s.world, log(s), tail=bytes(8)),
        ("log_trailing_data",),
        X,
    ),
    Scenario(
        "log in two members",
        lambda s: attacks.second_member(s.world, log(s)),
        ("log_trailing_data",),
        X,
    ),
    Scenario("log CRC wrong", lambda s: attacks.wrong_crc(s.world, log(s)), ("log_malformed",), X),
    Scenario(
        "logs swapped",
        lambda s: attacks.swap_logs(s.world, log(s, 11), log(s, 14)),
        ("log_hash_mismatch", "log_hash_mismatch"),
        X,
    ),
    Scenario(
        "log without its gzip trailer",
        lambda s: attacks.cut_trailer(s.world, log(s)),
        ("log_malformed",),
        X,
        Difference(why="it never asks whether the stream ended"),
    ),
    Scenario(
        "log emptied",
        lambda s: attacks.empty_log(s.world, log(s)),
        ("log_malformed",),
        X,
        Difference(
            why="it calls no byte at all a wrong hash, for nothing failed to inflate", status=1
        ),
    ),
    Scenario(
        "log named twice",
        lambda s: attacks.log_named_twice(s.world, s.chain, digest(s)),
        (),
        V,
    ),
    Scenario(
        "log named twice with two hashes",
        lambda s: attacks.log_named_twice(s.world, s.chain, digest(s), same_hash=False),
        ("log_hash_mismatch",),
        X,
        Difference(why="it judges each naming by itself: one file is valid and INVALID", status=1),
    ),
]
