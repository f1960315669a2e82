"""The reader of what verifications print."""

from __future__ import annotations

import pytest

from tests.parity.said import Said, read

PRINTED = """\
Validating log files for trail arn:aws:cloudtrail:us-east-1:111122223333:trail/main between A and B

Digest file\ts3://logs/d2\tvalid
Log file\ts3://logs/l1\tvalid
Log file\ts3://logs/l1\tvalid
(backfill) Digest file\ts3://logs/d3_backfill\tvalid

Results requested for A to B
Results found for A to B:

1/2 digest files valid, 1/2 digest files INVALID
1/1 backfill digest files valid
2/3 log files valid, 1/3 log files INVALID

Digest file\ts3://logs/d1\tINVALID: public key not found in region r for fingerprint f

No log files were delivered by CloudTrail between C and D

Log file\ts3://logs/l2\tINVALID: hash value doesn't match

"""


def test_what_the_aws_cli_prints() -> None:
    assert read(PRINTED, 1) == Said(
        status=1,
        verdicts=frozenset(
            {
                ("s3://logs/d1", "INVALID: public key not found in region r for fingerprint f"),
                ("s3://logs/d2", "valid"),
                ("s3://logs/d3_backfill", "valid"),
                ("s3://logs/l1", "valid"),
                ("s3://logs/l2", "INVALID: hash value doesn't match"),
            }
        ),
        ratios={"digest files": (1, 2), "backfill digest files": (1, 1), "log files": (2, 3)},
        repeats=True,
    )


def test_what_only_ours_says_is_no_verdict_on_a_file() -> None:
    printed = (
        "Digest file\ts3://logs/d1\tUNDETERMINED: not there yet\n"
        "Log file\ts3://logs/l1\tNOTE: named by no digest file\n"
        "Chain\taccount 111122223333, region us-east-1\tINVALID: newest digest files are gone\n"
        "1/2 digest files valid, 1/2 digest files UNDETERMINED\n"
    )
    assert read(printed, 3) == Said(3, frozenset(), {"digest files": (1, 2)}, repeats=False)


@pytest.mark.parametrize(
    "line",
    [
        "Digest file\ts3://logs/d1",
        "Digest file\ts3://logs/d1\tVALID",
        "(backfill) Digest file\ts3://logs/d1\tvalid\tperhaps",
        "Log file\tlogs/l1\tvalid",
    ],
)
def test_a_verdict_that_cannot_be_read_is_not_overlooked(line: str) -> None:
    with pytest.raises(ValueError, match="no verdict"):
        read(line, 0)
