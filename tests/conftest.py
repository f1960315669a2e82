"""What holds for every test: no account of the machine is ever asked, and nothing is timed."""

import os

from hypothesis import HealthCheck, settings

# A test that forgets to name its server must fail, not reach a real account.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

settings.register_profile(
    "integrity", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("integrity")
