"""Credentials, regions and endpoints: what is missing is said together with what to type next."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from integrity.aws.session import Aws, AwsRecipe, CallerIdentity
from integrity.chain.names import is_region_name
from integrity.errors import UsageError
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from tests.sources.wire import Answer, wire


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


class TestOpen:
    def test_a_recipe_travels(self) -> None:
        recipe = AwsRecipe(profile="audit", region="eu-west-1", max_connections=4, attempts=2)
        assert pickle.loads(pickle.dumps(recipe)) == recipe

    def test_no_credentials(self) -> None:
        with pytest.raises(UsageError, match=r"give --profile, set AWS_PROFILE, or run `aws con"):
            AwsRecipe().open()

    def test_half_of_the_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY"):
            AwsRecipe().open()

    @pytest.mark.parametrize("by", ["option", "environment"])
    def test_an_unknown_profile_names_those_that_are_there(
        self, config: Path, monkeypatch: pytest.MonkeyPatch, by: str
    ) -> None:
        config.write_text("[profile audit]\n[default]\n")
        if by == "environment":
            monkeypatch.setenv("AWS_PROFILE", "adit")
        with pytest.raises(UsageError, match=r"\(adit\) could not be found; .*: audit, default\."):
            AwsRecipe(profile="adit" if by == "option" else None).open()

    def test_a_config_file_that_cannot_be_read(self, config: Path) -> None:
        config.write_text("[profile\n")
        with pytest.raises(UsageError, match="the AWS configuration is wrong: Unable to parse"):
            AwsRecipe().open()

    def test_an_sso_session_that_was_never_opened(self, config: Path) -> None:
        config.write_text(
            "[profile audit]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\n"
            "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.com\n"
        )
        with pytest.raises(UsageError, match="`aws sso login`"):
            AwsRecipe(profile="audit").open()

    def test_a_role_that_may_not_be_assumed(self, lab: LabServer, config: Path) -> None:
        config.write_text(
            "[profile audit]\nrole_arn = arn:aws:iam::111122223333:role/r\nregion = us-east-1\n"
            "credential_source = Environment\n"
        )
        lab.faults.append(Fault("deny", operation="AssumeRole"))
        with pytest.raises(UsageError, match="sts:AssumeRole for the profile audit is not allowed"):
            AwsRecipe(profile="audit").open()

    @pytest.mark.parametrize(
        "region", ["us-east1", "us-est-1", "us_east_1", "US-EAST-1", "us-east-1 "]
    )
    @pytest.mark.usefixtures("credentials")
    def test_a_region_that_is_none(self, monkeypatch: pytest.MonkeyPatch, region: str) -> None:
        with pytest.raises(UsageError, match=r"not a region's name; did you mean .*us-east-1"):
            AwsRecipe(region=region).open()
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        with pytest.raises(UsageError, match="not a region's name"):
            AwsRecipe().open()

    @pytest.mark.usefixtures("credentials")
    def test_a_region_that_is_like_no_other(self) -> None:
        with pytest.raises(UsageError, match="regions are named like us-east-1"):
            AwsRecipe(region="?").open()

    @pytest.mark.usefixtures("credentials")
    def test_where_the_region_comes_from(
        self, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert AwsRecipe().open().region is None
        config.write_text("[default]\nregion = eu-west-1\n")
        assert AwsRecipe().open().region == "eu-west-1"
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
        assert AwsRecipe().open().region == "eu-west-2"
        monkeypatch.setenv("AWS_REGION", "eu-west-3")
        assert AwsRecipe().open().region == "eu-west-3"
        assert AwsRecipe(region="eu-north-1").open().region == "eu-north-1"


def test_names_of_regions() -> None:
    good = ("us-east-1", "us-gov-west-1", "cn-northwest-1", "eusc-de-east-1", "ap-southeast-12")
    bad = ("", "us", "us-east", "us-east-", "us-east-1a", "us-east-1\n", "-east-1", "us--east-1")
    assert all(is_region_name(name) for name in good)
    assert not any(is_region_name(name) for name in bad)


class TestClients:
    def test_one_is_made_a_service_and_region(self, aws: Aws) -> None:
        assert aws.client("s3") is aws.client("s3", "us-east-1")
        assert aws.client("s3") is not aws.client("s3", "eu-west-1")

    @pytest.mark.usefixtures("credentials")
    def test_without_a_region_there_is_none(self) -> None:
        with pytest.raises(UsageError, match="--region us-east-1"):
            AwsRecipe().open().client("cloudtrail")

    @pytest.mark.usefixtures("credentials")
    @pytest.mark.parametrize(
        ("setting", "value"), [("AWS_ENDPOINT_URL", "nonsense"), ("AWS_DEFAULTS_MODE", "nonsense")]
    )
    def test_a_setting_that_makes_no_client(
        self, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
    ) -> None:
        monkeypatch.setenv(setting, value)
        with pytest.raises(UsageError, match="no client for s3 in us-east-1 can be made"):
            AwsRecipe(region="us-east-1").open().client("s3")

    @pytest.mark.usefixtures("credentials")
    @pytest.mark.parametrize(
        ("region", "partition"),
        [
            ("us-east-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-north-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
            ("zz-north-1", "aws"),
        ],
    )
    def test_the_partition_of_a_region(self, region: str, partition: str) -> None:
        aws = AwsRecipe(region=region).open()
        assert aws.partition() == aws.partition(region) == partition


class TestCaller:
    def test_says_who_is_asking(self, aws: Aws) -> None:
        assert aws.caller() == CallerIdentity(
            "arn:aws:iam::111122223333:user/auditor", "111122223333"
        )

    def test_nobody_where_sts_may_not_be_asked(self, aws: Aws, lab: LabServer) -> None:
        lab.faults.append(Fault("deny", operation="GetCallerIdentity"))
        assert aws.caller() is None

    def test_another_region_stands_in_where_there_is_none(
        self, recipe: AwsRecipe, lab: LabServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        recipe.open().caller("cn-north-1")
        assert lab.requests.by_region == {("GetCallerIdentity", "cn-north-1"): 1}

    @pytest.mark.usefixtures("credentials")
    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("ExpiredToken", "the credentials have expired"),
            ("InvalidClientTokenId", "AWS does not accept the credentials for sts:GetCallerId"),
        ],
    )
    def test_credentials_that_are_not_accepted_stop_the_command(
        self, monkeypatch: pytest.MonkeyPatch, code: str, said: str
    ) -> None:
        body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"
        with wire(lambda _: Answer(403, body.encode())) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.endpoint)
            with pytest.raises(UsageError, match=said):
                AwsRecipe().open().caller()


def test_aws_sees_who_asks(aws: Aws) -> None:
    seen: list[bytes] = []
    client = aws.client("sts")
    client.meta.events.register(
        "before-send.sts", lambda request, **_: seen.append(request.headers["User-Agent"])
    )
    aws.caller()
    assert seen
    assert all(agent.startswith(b"integrity/") for agent in seen)
