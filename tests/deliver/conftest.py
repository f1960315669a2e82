"""The fixtures of an AWS that is the lab's, and a message."""

from __future__ import annotations

import pytest

from integrity.aws.session import AwsRecipe
from integrity.state import Audience, Message, Step
from tests.lab_aws import NOW, aws, bare_environment, lab, world

__all__ = ["aws", "bare_environment", "lab", "world"]

TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"


@pytest.fixture
def recipe() -> AwsRecipe:
    """Patient, for what is sent again where an answer is late arrives twice."""
    return AwsRecipe(attempts=2, first_wait=0.01)


@pytest.fixture
def message() -> Message:
    return Message(
        id="0123456789ab-opened-1",
        trail_arn=TRAIL,
        incident_id="0123456789ab",
        audience=Audience.SECURITY,
        step=Step.OPENED,
        subject="[integrity] INVALID log_hash_mismatch 111122223333 us-east-1 main",
        text="One log file was changed after CloudTrail delivered it. “What now?”\n",
        facts={
            "outcome": "invalid",
            "reason": "log_hash_mismatch",
            "account_id": "111122223333",
            "region": "us-east-1",
            "trail_arn": TRAIL,
            "record_uri": "s3://records/r.json",
            "count": 1,
            "subjects": ["s3://logs/a.json.gz"],
        },
        created_at=NOW,
    )
