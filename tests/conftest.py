"""What holds for every test: no account of the machine is ever asked, and nothing is timed."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from integrity.sources import event_history

# A test that forgets to name its server must fail, not reach a real account.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

# LookupEvents is asked twice a second at most; the lab answers as often as it is asked.
event_history._BETWEEN_SECONDS = 0.0

settings.register_profile(
    "integrity", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("integrity")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A log that a test has opened would go to its captured standard error, closed by then."""
    root, own = logging.getLogger(), logging.getLogger("integrity")
    handlers, levels = root.handlers[:], (root.level, own.level)
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])
