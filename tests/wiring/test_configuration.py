"""Where a configuration comes from, and as whom its trails are opened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from integrity.aws.roles import Role
from integrity.errors import AccessError, ConfigError, UsageError
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.verify.claim import Claim
from integrity.wiring.configuration import MAX_TEXT_BYTES, access_of, claim_of, load_config
from tests.lab_aws import bare_environment, lab, world

__all__ = ["bare_environment", "lab", "world"]

ROOT = Path(__file__).resolve().parent.parent.parent
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
TEXT = f'notify = "none"\n[[trails]]\ntrail_arn = "{ARN}"\n'

Put = Callable[[bytes], None]


@pytest.fixture
def put(world: World, lab: LabServer) -> Put:
    """Puts an object where `URI` is."""
    assert lab.endpoint
    bucket = world.trails[0].bucket

    def write(content: bytes) -> None:
        client: Any = botocore.session.Session().create_client("s3")
        client.put_object(Bucket=bucket, Key="settings/integrity.toml", Body=content)

    return write


@pytest.fixture
def uri(world: World) -> str:
    return f"s3://{world.trails[0].bucket}/settings/integrity.toml"


class TestWhereItIs:
    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "integrity.toml"
        path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
        named = load_config({"INTEGRITY_CONFIG": str(path)})
        assert named.trails[0].trail_arn == ARN
        assert load_config({}, str(path)) == named
        ignored = {"INTEGRITY_CONFIG": "none", "INTEGRITY_CONFIG_TOML": "x"}
        assert load_config(ignored, str(path)) == named

    def test_the_text_itself_or_nothing_but_variables(self) -> None:
        text = load_config({"INTEGRITY_CONFIG_TOML": TEXT, "INTEGRITY_CONFIG": ""})
        alone = load_config({"INTEGRITY_NOTIFY": "none", "INTEGRITY_TRAILS_0_TRAIL_ARN": ARN})
        assert text == alone

    def test_an_object(self, put: Put, uri: str) -> None:
        put(TEXT.encode())
        assert load_config({"INTEGRITY_CONFIG": uri}).trails[0].trail_arn == ARN

    def test_both_contradict_each_other(self) -> None:
        with pytest.raises(UsageError, match="are both given: leave one of them out"):
            load_config({"INTEGRITY_CONFIG": "a", "INTEGRITY_CONFIG_TOML": TEXT})

    def test_none_at_all_says_what_is_missing(self) -> None:
        with pytest.raises(ConfigError) as refused:
            load_config({})
        assert [said.partition(":")[0] for said in refused.value.mistakes] == [
            "trails",
            "audiences.security",
        ]


class TestWhereItIsNot:
    @pytest.mark.parametrize("name", ["missing.toml", "."])
    def test_no_file(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(
            UsageError, match=r"the configuration cannot be read: .*s3://BUCKET/KEY"
        ):
            load_config({}, str(tmp_path / name))

    @pytest.mark.parametrize(
        ("content", "said"),
        [(b"\xff", "it is not UTF-8"), (b"#" * (MAX_TEXT_BYTES + 1), "it is larger than")],
    )
    def test_no_text(self, tmp_path: Path, put: Put, uri: str, content: bytes, said: str) -> None:
        path = tmp_path / "integrity.toml"
        path.write_bytes(content)
        put(content)
        for place in (str(path), uri):
            with pytest.raises(UsageError, match=f"is no configuration: {said}"):
                load_config({}, place)

    def test_no_object(self, lab: LabServer, uri: str) -> None:
        assert lab.endpoint
        with pytest.raises(UsageError, match=f"there is no configuration at {uri}"):
            load_config({}, uri)

    @pytest.mark.parametrize("place", ["s3://", "s3://bucket", "s3:///key"])
    def test_no_name_of_an_object(self, place: str) -> None:
        with pytest.raises(UsageError, match="expected s3://BUCKET/KEY"):
            load_config({}, place)

    def test_an_object_that_may_not_be_read(self, lab: LabServer, put: Put, uri: str) -> None:
        put(TEXT.encode())
        lab.faults.append(Fault("deny", operation="GetObject"))
        with pytest.raises(AccessError, match=r"cannot be read: s3:GetObject on .* is not allowed"):
            load_config({}, uri)


def test_a_trail_is_opened_as_its_roles() -> None:
    text = TEXT + (
        'role_arn = "arn:aws:iam::111122223333:role/t"\nexternal_id = "one"\n'
        'bucket_role_arn = "arn:aws:iam::444455556666:role/b"\nbucket_external_id = "two"\n'
        'keys_role_arn = "arn:aws:iam::777788889999:role/k"\nsession_name = "watch"\n'
        's3_bucket = "logs"\ns3_prefix = "org"\norganization_id = "o-exampleorgid"\n'
        'expected_bucket_owner = "444455556666"\n[service]\nconcurrency = 8\n'
    )
    config = load_config({"INTEGRITY_CONFIG_TOML": text})
    access = access_of(config.trails[0], config)
    assert access.role == Role(
        arn="arn:aws:iam::111122223333:role/t", external_id="one", session_name="watch"
    )
    assert access.bucket_role == Role(
        arn="arn:aws:iam::444455556666:role/b", external_id="two", session_name="watch"
    )
    assert access.keys_role == Role(arn="arn:aws:iam::777788889999:role/k", session_name="watch")
    assert (access.expected_bucket_owner, access.concurrency) == ("444455556666", 8)
    assert claim_of(config.trails[0]) == Claim(
        name=ARN, bucket="logs", prefix="org", organization_id="o-exampleorgid"
    )


def test_a_trail_without_roles_is_opened_as_the_service_itself() -> None:
    config = load_config({"INTEGRITY_CONFIG_TOML": f'{TEXT}keys_file = "keys.json"\n'})
    access = access_of(config.trails[0], config)
    assert (access.role, access.bucket_role, access.keys_role) == (None, None, None)
    assert access.keys_file == Path("keys.json")


def test_without_the_extra_the_service_says_so_and_the_commands_do_not_need_it() -> None:
    program = """if True:
        import sys
        sys.modules["pydantic"] = sys.modules["apscheduler"] = None
        import integrity.cli.verify, integrity.cli.trails, integrity.cli.keys, integrity.wiring
        from integrity.cli import main
        assert main(["verify", "--help"]) == 0
        sys.exit(main(["config", "check"]))
    """
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 2
    assert "pip install 'trail-integrity[service]'" in done.stderr
