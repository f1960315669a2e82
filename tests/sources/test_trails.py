"""Trails: found wherever their home is, and a clear word where there is none or nobody may ask."""

from __future__ import annotations

import json

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import Trail
from integrity.errors import AccessError, UsageError
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.claimed import TrailArn, claimed_trail, parse_trail_arn
from integrity.sources.trails import TrailDirectory
from tests.sources.wire import Answer, Asked, wire

ACCOUNT = "111122223333"
MAIN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"
LOCAL = f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/local"


@pytest.fixture
def local(world: World) -> World:
    """A second trail, of a single region that is not the caller's."""
    world.add_trail(
        name="local",
        home_region="eu-west-1",
        bucket="local-logs",
        prefix="a/b",
        multi_region=False,
        validation=False,
    )
    return world


@pytest.fixture
def directory(aws: Aws) -> TrailDirectory:
    return TrailDirectory(aws)


class TestFind:
    def test_by_arn_in_the_region_that_it_names(
        self, directory: TrailDirectory, local: World, lab: LabServer
    ) -> None:
        assert local.trails
        assert directory.find(LOCAL) == Trail(
            arn=LOCAL,
            name="local",
            account_id=ACCOUNT,
            home_region="eu-west-1",
            bucket="local-logs",
            prefix="a/b",
            organization_id="",
            multi_region=False,
            validation=False,
            looked_up=True,
            is_organization=False,
        )
        assert lab.requests.by_region == {("GetTrail", "eu-west-1"): 1}

    def test_by_name_in_the_callers_region_first(
        self, directory: TrailDirectory, lab: LabServer
    ) -> None:
        trail = directory.find("main")
        assert (trail.arn, trail.multi_region, trail.validation) == (MAIN, True, True)
        assert lab.requests.total == 1

    def test_by_name_in_any_other_region_then(
        self, directory: TrailDirectory, local: World
    ) -> None:
        assert directory.find("local") == directory.find(LOCAL)
        assert len(local.trails) == 2

    def test_a_name_without_a_region_needs_one(
        self, recipe: AwsRecipe, lab: LabServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        assert lab.endpoint
        directory = TrailDirectory(recipe.open())
        with pytest.raises(UsageError, match="--region us-east-1"):
            directory.find("main")
        assert directory.find(MAIN).name == "main"

    def test_a_name_that_two_trails_have_needs_the_arn(
        self, directory: TrailDirectory, world: World
    ) -> None:
        for region in ("eu-west-1", "eu-west-2"):
            world.add_trail(name="twin", home_region=region, multi_region=False)
        with pytest.raises(UsageError, match="more than one trail named twin") as raised:
            directory.find("twin")
        assert f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/twin, arn:" in str(raised.value)

    @pytest.mark.parametrize(
        "asked", ["mian", f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/mian"]
    )
    def test_an_unknown_trail_says_what_was_looked_at_and_what_is_there(
        self, directory: TrailDirectory, local: World, asked: str
    ) -> None:
        assert local.trails
        with pytest.raises(UsageError, match=f"no trail {asked} was found") as raised:
            directory.find(asked)
        said = str(raised.value)
        assert f"(GetTrail in us-east-1, asked by arn:aws:iam::{ACCOUNT}:user/auditor)" in said
        assert f"the account's trails are {MAIN};" in said
        assert "`integrity trails`" in said
        assert "--s3-bucket" in said

    def test_an_unknown_trail_is_told_where_nothing_else_may_be_asked(
        self, directory: TrailDirectory, lab: LabServer
    ) -> None:
        lab.faults.append(Fault("deny", operation="ListTrails"))
        lab.faults.append(Fault("deny", operation="GetCallerIdentity"))
        with pytest.raises(UsageError, match="asked by an unknown caller"):
            directory.find(MAIN.replace("main", "gone"))

    def test_a_name_that_may_be_elsewhere_is_not_called_unknown(
        self, directory: TrailDirectory, lab: LabServer
    ) -> None:
        lab.faults.append(Fault("deny", operation="ListTrails"))
        with pytest.raises(AccessError, match="cloudtrail:ListTrails in region us-east-1 is not"):
            directory.find("gone")

    @pytest.mark.parametrize(
        "asked", ["", "ab", "-main", "a b", "arn:aws:cloudtrail:us-east-1:1:trail/main", "x" * 129]
    )
    def test_what_names_no_trail_is_asked_nowhere(
        self, directory: TrailDirectory, lab: LabServer, asked: str
    ) -> None:
        with pytest.raises(UsageError, match="neither a trail's ARN"):
            directory.find(asked)
        assert lab.requests.total == 0

    @pytest.mark.parametrize(
        ("action", "said"),
        [
            ("deny", f"cloudtrail:GetTrail on {MAIN} in region us-east-1 is not allowed"),
            ("throttle", "AWS throttled cloudtrail:GetTrail"),
            ("reset", "no answer to cloudtrail:GetTrail"),
        ],
    )
    def test_who_may_not_ask_is_told_the_permission(
        self, lab: LabServer, action: str, said: str
    ) -> None:
        directory = TrailDirectory(AwsRecipe(attempts=1).open())
        lab.faults.append(Fault(action))  # type: ignore[arg-type]
        with pytest.raises(AccessError) as raised:
            directory.find(MAIN)
        assert str(raised.value).startswith(said)

    def test_a_home_region_that_is_not_enabled_is_a_fault_of_the_command(
        self, directory: TrailDirectory, world: World
    ) -> None:
        world.regions["us-east-1"] = "not-opted-in"
        with pytest.raises(UsageError, match="the region is not enabled for this account"):
            directory.find(MAIN)

    def test_a_mistyped_region_is_named(
        self, lab: LabServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = TrailDirectory(AwsRecipe(region="us-east-7", attempts=1).open())
        with pytest.raises(UsageError, match=r"; us-east-7 is no region that is known here; did y"):
            elsewhere.find("gone")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        assert lab.endpoint
        nowhere = TrailDirectory(AwsRecipe(region="us-east-7", attempts=1).open())
        for ask in (nowhere.list_trails, lambda: nowhere.find("main")):
            with pytest.raises(UsageError, match=r"^us-east-7 is no region .* did you mean us-"):
                ask()


class TestList:
    def test_trails_of_other_regions_are_listed_too(
        self, directory: TrailDirectory, local: World, lab: LabServer
    ) -> None:
        assert directory.list_trails() == (directory.find(LOCAL), directory.find(MAIN))
        assert lab.requests.by_operation["ListTrails"] == 1
        assert len(local.trails) == 2

    def test_an_account_without_trails_has_none(
        self, directory: TrailDirectory, world: World
    ) -> None:
        world.trails.clear()
        assert directory.list_trails() == ()

    def test_a_trail_that_cannot_be_asked_for_is_not_left_out(
        self, directory: TrailDirectory, local: World, lab: LabServer
    ) -> None:
        assert local.trails
        lab.faults.append(Fault("deny", operation="GetTrail", region="eu-west-1"))
        with pytest.raises(AccessError, match=f"cloudtrail:GetTrail on {LOCAL}"):
            directory.list_trails()

    @pytest.mark.parametrize("arn", [MAIN, MAIN.replace("us-east-1", "Mars")])
    def test_a_trail_that_is_gone_meanwhile_is_left_out_and_one_not_understood_is_not(
        self, monkeypatch: pytest.MonkeyPatch, arn: str
    ) -> None:
        def script(asked: Asked) -> Answer:
            if asked.headers["x-amz-target"].endswith("ListTrails"):
                listed = {"Trails": [{"TrailARN": arn, "Name": "main", "HomeRegion": "us-east-1"}]}
                return Answer(200, json.dumps(listed).encode())
            return Answer(400, b'{"__type": "TrailNotFoundException"}')

        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        with wire(script) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
            directory = TrailDirectory(AwsRecipe(region="us-east-1").open())
            if arn == MAIN:
                assert directory.list_trails() == ()
            else:
                with pytest.raises(AccessError, match="Mars"):
                    directory.list_trails()


class TestOrganization:
    @pytest.fixture
    def shared(self, world: World) -> World:
        world.trails.clear()
        world.add_trail(organization_id="o-abcdefghij")
        return world

    def test_an_organization_trail_has_the_organizations_id(
        self, directory: TrailDirectory, shared: World
    ) -> None:
        assert shared.organization is not None
        trail = directory.find(MAIN)
        assert (trail.is_organization, trail.organization_id) == (True, "o-abcdefghij")
        assert directory.notes == ()

    def test_without_permission_the_id_is_left_open_and_the_permission_noted(
        self, directory: TrailDirectory, shared: World, lab: LabServer
    ) -> None:
        assert shared.organization is not None
        lab.faults.append(Fault("deny", operation="DescribeOrganization"))
        for _ in range(2):
            trail = directory.find(MAIN)
            assert (trail.is_organization, trail.organization_id) == (True, "")
        assert directory.notes == ("organizations:DescribeOrganization on * is not allowed",)
        assert lab.requests.by_operation["DescribeOrganization"] == 1


class TestNames:
    @pytest.mark.parametrize(
        ("partition", "region"),
        [
            ("aws", "us-east-1"),
            ("aws-us-gov", "us-gov-west-1"),
            ("aws-cn", "cn-north-1"),
            ("aws-eusc", "eusc-de-east-1"),
            ("aws-iso-b", "us-isob-east-1"),
        ],
    )
    def test_arns_of_every_partition_are_parsed(self, partition: str, region: str) -> None:
        text = f"arn:{partition}:cloudtrail:{region}:{ACCOUNT}:trail/a_us-east-1_b"
        assert parse_trail_arn(text) == TrailArn(text, region, ACCOUNT, "a_us-east-1_b")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "main",
            MAIN + "\n",
            MAIN + "/x",
            MAIN.replace("aws", "azure"),
            MAIN.replace("cloudtrail", "s3"),
            MAIN.replace("us-east-1", "us-east1"),
            MAIN.replace("us-east-1", ""),
            MAIN.replace(ACCOUNT, "1234"),
            MAIN.replace(ACCOUNT, "\u0661" * 12),
            MAIN.replace("main", "-main"),
            MAIN.replace("main", "ab"),
        ],
    )
    def test_what_is_no_arn_is_none(self, text: str) -> None:
        assert parse_trail_arn(text) is None

    def test_a_claimed_trail_is_taken_at_its_word(self) -> None:
        assert claimed_trail(MAIN, "trail-logs", "a/b", "o-abcdefghij") == Trail(
            arn=MAIN,
            name="main",
            account_id=ACCOUNT,
            home_region="us-east-1",
            bucket="trail-logs",
            prefix="a/b",
            organization_id="o-abcdefghij",
            looked_up=False,
            is_organization=True,
        )
        plain = claimed_trail(MAIN, "trail-logs")
        assert (plain.prefix, plain.organization_id, plain.is_organization) == ("", "", False)

    @pytest.mark.parametrize(
        ("arn", "bucket", "organization", "said"),
        [
            ("main", "trail-logs", None, "named in full"),
            (MAIN, "s3://trail-logs", None, "without s3://"),
            (MAIN, "trail-logs", "o-short", "not an organization's id"),
            (MAIN, "trail-logs", "", "not an organization's id"),
        ],
    )
    def test_a_claim_that_cannot_be_is_refused(
        self, arn: str, bucket: str, organization: str | None, said: str
    ) -> None:
        with pytest.raises(UsageError, match=said):
            claimed_trail(arn, bucket, "", organization)
