"""What is wrong with a configuration is told by its name, with what would mend it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from integrity.cli import main
from integrity.lab.estate import ExpirationRule
from integrity.lab.faults import Fault
from tests.doctor.conftest import Clinic

KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
OPERATIONS = "arn:aws:sns:us-east-1:123456789012:operations"


def test_of_a_healthy_set_up_nothing_is_wrong_and_nobody_hears(clinic: Clinic) -> None:
    found = clinic.examine()

    assert (found.status, found.bad()) == (0, set())
    assert clinic.stage.mail() == clinic.stage.mail("operations") == []
    publishing = found.checks["sns:Publish"]
    assert {one["trial"] for one in publishing} == {"in part"}
    assert all("--send" in one["said"] for one in publishing)
    assert not (clinic.stage.folder / "state.sqlite").exists()
    assert list(clinic.stage.folder.iterdir()) == []


@pytest.mark.slow
def test_an_examination_changes_nothing_for_the_ticks_beside_it(clinic: Clinic) -> None:
    assert clinic.stage.tick().status == 0
    before = clinic.stage.service().records.newest(clinic.stage.trail_arn)

    found = clinic.examine()

    assert (found.one("state")["said"], found.one("records")["said"]) == (
        "it can be written",
        "records can be written",
    )
    assert clinic.stage.service().records.newest(clinic.stage.trail_arn) == before
    clinic.stage.pass_hours()
    assert clinic.stage.tick().status == 0


# The clock


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)], ids=["slow", "fast"])
def test_a_clock_that_is_an_hour_off_is_named_though_everything_is_refused(
    clinic: Clinic, ahead: timedelta
) -> None:
    clinic.stage.server.ahead = ahead
    clinic.stage.server.faults.append(Fault("skew"))

    found = clinic.examine()

    assert found.status == 2
    clock = found.one("clock")
    assert clock["said"].startswith("60 min 0 s " + ("behind" if ahead > timedelta(0) else "ahead"))
    assert "RequestTimeTooSkewed" in clock["todo"]
    assert "clock" in found.one("credentials")["said"]
    assert found.one("everything else")["outcome"] == "skipped"


@pytest.mark.slow
@pytest.mark.parametrize(("minutes", "status"), [(4, 0), (6, 2)])
def test_a_clock_is_told_before_aws_refuses_it(clinic: Clinic, minutes: int, status: int) -> None:
    clinic.stage.server.ahead = timedelta(minutes=minutes)

    found = clinic.examine()

    assert found.status == status
    assert found.bad() == ({"clock"} if status else set())


# Regions


def test_a_trail_of_another_region_is_named_with_the_right_one(clinic: Clinic) -> None:
    right = clinic.stage.trail_arn
    toml = clinic.stage.toml().replace(right, right.replace("us-east-1", "eu-west-1"))

    found = clinic.examine(toml=toml)

    assert found.status == 2
    trail = found.one("cloudtrail:GetTrail")
    assert (trail["fault"], trail["missing_statement"]) == ("configuration", None)
    assert right in trail["said"]
    assert "home" in trail["todo"]


@pytest.mark.slow
def test_a_region_that_is_none_is_named(clinic: Clinic) -> None:
    clinic.patch.setenv("AWS_REGION", "us-east-11")

    found = clinic.examine()

    assert found.status == 2
    assert "did you mean us-east-1" in found.one("region")["said"]


@pytest.mark.slow
def test_a_table_and_a_topic_of_another_region_are_named(clinic: Clinic) -> None:
    stage = clinic.stage
    toml = stage.toml().replace(OPERATIONS, OPERATIONS.replace("us-east-1", "eu-west-1"))
    sqlite = f'sqlite_path = "{stage.folder / "state.sqlite"}"'
    table = "arn:aws:dynamodb:eu-west-1:111122223333:table/integrity"

    found = clinic.examine(toml=toml.replace(sqlite, f'dynamodb_table = "{table}"'))

    assert found.status == 2
    assert found.bad() == {
        "dynamodb:PutItem",
        "sns:GetTopicAttributes",
    }
    assert "no table integrity in eu-west-1" in found.one("dynamodb:PutItem")["said"]


@pytest.mark.slow
def test_a_source_region_that_is_not_enabled_is_named(clinic: Clinic) -> None:
    world = clinic.stage.world
    world.run_chain(world.trails[0], region="me-south-1", start=world.now - timedelta(hours=30))
    world.regions["me-south-1"] = "not-opted-in"

    found = clinic.examine()

    said = [one for one in found.checks["cloudtrail:ListPublicKeys"] if one["fault"]]
    assert [one["subject"] for one in said] == ["public keys in me-south-1"]
    assert "keys_role_arn or keys_file" in said[0]["todo"]


@pytest.mark.slow
def test_a_folder_that_only_looks_like_a_region_is_asked_of_nobody(clinic: Clinic) -> None:
    world = clinic.stage.world
    for number in range(8):
        folder = f"AWSLogs/111122223333/CloudTrail-Digest/xx-evil-{number}/x"
        world.put_marker("trail-logs", folder, world.now)

    found = clinic.examine()

    assert found.status == 0
    [strange] = [
        one for one in found.checks["cloudtrail:ListPublicKeys"] if one["trial"] != "tried"
    ]
    assert strange["subject"].endswith("xx-evil-4, …")
    asked = {region for _, region in clinic.stage.server.requests.by_region}
    assert not any(region.startswith("xx-") for region in asked)


# The bucket


def test_a_bucket_of_another_owner_is_named(clinic: Clinic) -> None:
    clinic.stage.trail_settings = 'expected_bucket_owner = "999900001111"'

    found = clinic.examine()

    assert found.status == 2
    owner = found.one("expected_bucket_owner")
    assert "not account 999900001111's" in owner["said"]
    assert owner["missing_statement"] is None


@pytest.mark.slow
def test_the_right_owner_is_no_matter(clinic: Clinic) -> None:
    clinic.stage.trail_settings = 'expected_bucket_owner = "111122223333"'

    assert clinic.examine().status == 0


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_named(clinic: Clinic) -> None:
    clinic.stage.trail_settings = 's3_bucket = "gone-logs"'

    found = clinic.examine()

    assert found.status == 2
    assert found.one("s3:ListBucket")["said"] == "there is no such bucket"


def test_a_key_that_refuses_is_named_with_what_it_has_to_allow(clinic: Clinic) -> None:
    clinic.stage.world.trails[0].kms_key_id = KEY
    clinic.stage.server.faults.append(Fault("kms", operation="GetObject"))

    found = clinic.examine()

    assert found.status == 3
    refused = found.checks["kms:Decrypt"]
    assert {one["outcome"] for one in refused} == {"failed"}
    assert refused[0]["missing_statement"] == {
        "Effect": "Allow",
        "Action": ["kms:Decrypt"],
        "Resource": [KEY],
        "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
    }
    assert "own policy" in refused[0]["todo"]


@pytest.mark.slow
def test_a_bucket_that_expires_sooner_than_is_said_is_named(clinic: Clinic) -> None:
    rules = clinic.stage.world.buckets["trail-logs"].expirations
    rules.append(ExpirationRule("short", "", 30))

    assert "after 30 days" in clinic.examine().one("retention_days")["said"]

    clinic.stage.trail_settings = "retention_days = 30"
    assert clinic.examine().status == 0
    rules[:] = [ExpirationRule("other", "tmp/", 1)]
    clinic.stage.trail_settings = ""
    assert clinic.examine().status == 0


@pytest.mark.slow
def test_records_among_what_is_audited_are_named(clinic: Clinic) -> None:
    clinic.stage.records = 'place = "s3://trail-logs/records"'

    found = clinic.examine()

    assert found.status == 2
    assert "could change the records" in found.one("records.place")["said"]


@pytest.mark.slow
def test_what_is_forbidden_in_words_has_no_statement_that_helps(clinic: Clinic) -> None:
    clinic.stage.server.faults.append(
        Fault("deny", operation="ListTrails", message="with an explicit deny in a service control")
    )

    said = clinic.examine().one("cloudtrail:ListTrails")

    assert (said["outcome"], said["missing_statement"]) == ("failed", None)
    assert "explicit deny" in said["todo"]


@pytest.mark.slow
def test_what_is_throttled_is_no_missing_permission(clinic: Clinic) -> None:
    clinic.stage.server.faults.append(Fault("throttle", operation="DescribeRegions"))

    said = clinic.examine().one("ec2:DescribeRegions")

    assert (said["fault"], said["missing_statement"]) == ("access", None)
    assert "throttled" in said["said"]


# The trail


@pytest.mark.slow
def test_a_trail_without_validation_or_off_is_named(clinic: Clinic) -> None:
    world = clinic.stage.world
    world.trails[0].validation = False
    world.stop_chain(world.chains[0])

    found = clinic.examine()

    assert found.bad() == {"log file validation", "logging"}
    assert "--enable-log-file-validation" in found.one("log file validation")["todo"]
    assert "start-logging" in found.one("logging")["todo"]


@pytest.mark.slow
def test_a_trail_that_cannot_deliver_is_named(clinic: Clinic) -> None:
    world = clinic.stage.world
    status = world.status(world.trails[0], "us-east-1")
    status.latest_digest_delivery_error = "AccessDenied"

    assert "AccessDenied" in clinic.examine().one("delivery")["said"]


@pytest.mark.slow
def test_before_the_first_file_what_can_be_tried_is_tried(clinic: Clinic) -> None:
    for address in list(clinic.stage.world.objects):
        del clinic.stage.world.objects[address]

    found = clinic.examine()

    assert found.status == 0
    assert "no file yet" in found.one("s3:GetObject")["said"]
    assert found.document["forecasts"] == []
    assert found.one("requests of a month")["outcome"] == "skipped"


# Who is told


def test_a_topic_that_nobody_has_confirmed_is_named(clinic: Clinic) -> None:
    sns = clinic.stage.aws.client("sns", "us-east-1")
    for one in sns.list_subscriptions_by_topic(TopicArn=OPERATIONS)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])

    found = clinic.examine()

    assert (found.status, found.bad()) == (2, {"subscription"})
    assert found.one("subscription")["subject"] == OPERATIONS
    assert "aws sns subscribe" in found.one("subscription")["todo"]


@pytest.mark.slow
def test_a_subscription_that_waits_is_not_confirmed(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    # moto confirms every subscription by itself; this is how SNS lists one that waits.
    monkeypatch.setattr(
        "moto.sns.models.make_arn_for_subscription", lambda _: "PendingConfirmation"
    )
    stage = clinic.stage
    sns = stage.aws.client("sns", "us-east-1")
    topic = sns.create_topic(Name="waiting")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")

    found = clinic.examine(toml=stage.toml().replace(OPERATIONS, topic))

    assert "1 wait for somebody to confirm" in found.one("subscription")["said"]


@pytest.mark.slow
def test_with_send_every_destination_gets_a_test_and_says_so(clinic: Clinic) -> None:
    found = clinic.examine("--send")

    assert found.status == 0
    assert {one["trial"] for one in found.checks["sns:Publish"]} == {"tried"}
    for audience in ("security", "operations"):
        [envelope] = clinic.stage.mail(audience)
        assert "TEST" in envelope["Subject"]
        assert '"test":true' in envelope["Message"]


@pytest.mark.slow
def test_with_send_a_destination_that_does_not_take_it_is_named(clinic: Clinic) -> None:
    url, secret = "http://127.0.0.1:9/hook", 40 * "s"
    toml = clinic.stage.toml().replace(
        "[audiences.operations]",
        f'[[audiences.security.webhooks]]\nurl = "{url}"\nsecret = "{secret}"\n'
        "[audiences.operations]",
    )

    without, found = clinic.examine(toml=toml), clinic.examine("--send", toml=toml)

    assert (without.status, without.one("send to webhook")["outcome"]) == (0, "skipped")
    assert (found.status, found.bad()) == (3, {"send to webhook"})
    assert secret not in str(found.document)


# What is kept


@pytest.mark.slow
def test_a_state_file_without_a_folder_is_named(clinic: Clinic, tmp_path: Path) -> None:
    stage = clinic.stage
    toml = stage.toml().replace(str(stage.folder), str(tmp_path / "not" / "there"))

    found = clinic.examine(toml=toml)

    assert (found.status, found.bad()) == (2, {"state", "records"})
    assert "make" in found.one("state")["said"]


@pytest.mark.slow
def test_a_table_that_is_another_programs_is_named(clinic: Clinic) -> None:
    stage = clinic.stage
    stage.aws.client("dynamodb", "us-east-1").create_table(
        TableName="others",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    sqlite = f'sqlite_path = "{stage.folder / "state.sqlite"}"'

    found = clinic.examine(toml=stage.toml().replace(sqlite, 'dynamodb_table = "others"'))

    assert (found.status, found.bad()) == (2, {"dynamodb:PutItem"})
    assert "`pk` (string, partition)" in found.one("dynamodb:PutItem")["todo"]


def test_a_trial_in_a_table_is_taken_away_and_one_in_a_bucket_stays(clinic: Clinic) -> None:
    stage = clinic.stage
    dynamodb, s3 = (stage.aws.client(name, "us-east-1") for name in ("dynamodb", "s3"))
    dynamodb.create_table(
        TableName="state",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    s3.create_bucket(Bucket="kept-records")
    stage.records = 'place = "s3://kept-records/of/main"'
    sqlite = f'sqlite_path = "{stage.folder / "state.sqlite"}"'
    toml = stage.toml().replace(sqlite, 'dynamodb_table = "state"')

    first, second = clinic.examine(toml=toml), clinic.examine(toml=toml)

    assert (first.status, second.status) == (0, 0)
    assert dynamodb.scan(TableName="state")["Items"] == []
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="kept-records")["Contents"]]
    assert keys == [f"of/main/doctor/{stage.world.now:%Y-%m-%d}.json"]
    assert "earlier examination" in second.one("s3:PutObject")["said"]


@pytest.mark.slow
def test_no_credentials_is_2(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("INTEGRITY_CONFIG_TOML", clinic.stage.toml())

    assert main(["doctor"]) == 2


def test_a_configuration_with_mistakes_is_2_and_a_help_needs_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INTEGRITY_CONFIG_TOML", "[service]\ncolour = 1\n")

    assert main(["doctor"]) == 2
    assert "colour" in capsys.readouterr().err
    assert main(["doctor", "--help"]) == 0
    assert "pages nobody" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_what_stands_in_for_keys_and_cannot_is_named(clinic: Clinic) -> None:
    clinic.stage.trail_settings = 'keys_file = "/nowhere/keys.json"'
    found = clinic.examine()
    assert (found.status, found.bad()) == (2, {"keys_file"})

    role = "arn:aws:iam::444455556666:role/keys"
    clinic.stage.trail_settings = f'keys_role_arn = "{role}"'
    found = clinic.examine()
    assert (found.status, found.bad()) == (3, {"sts:AssumeRole"})
    assert found.one("sts:AssumeRole")["missing_statement"]["Resource"] == [role]
    assert "trust policy" in found.one("sts:AssumeRole")["todo"]


@pytest.mark.slow
def test_a_bucket_that_may_not_be_listed_leaves_the_rest_untried(clinic: Clinic) -> None:
    clinic.stage.server.faults.append(Fault("deny", operation="ListObjectsV2", bucket="trail-logs"))

    found = clinic.examine()

    assert (found.status, found.bad()) == (3, {"s3:ListBucket", "s3:GetObject"})
    assert found.one("s3:GetObject")["outcome"] == "skipped"
    assert "s3:ListBucket" in found.one("s3:GetObject")["said"]


@pytest.mark.slow
def test_a_bucket_of_records_that_is_not_there_is_named(clinic: Clinic) -> None:
    clinic.stage.records = 'place = "s3://gone-records/of/main"'

    found = clinic.examine()

    assert found.status == 2
    said = [one["said"] for one in found.checks["s3:ListBucket"] if one["fault"]]
    assert said == ["there is no such bucket for records"]


@pytest.mark.slow
def test_other_places_of_aws_are_sent_to_and_named_with_their_statements(clinic: Clinic) -> None:
    toml = clinic.stage.toml().replace(
        "[audiences.operations]",
        """eventbridge_bus_arns = ["default"]
            ses_from = "integrity@example.com"
            ses_to = ["security@example.com"]
            [metrics]
            enabled = false
            [audiences.operations]""",
    )
    clinic.stage.server.faults.append(Fault("deny", operation="PutEvents"))

    without, found = clinic.examine(toml=toml), clinic.examine("--send", toml=toml)

    assert without.status == 0
    for name in ("send to eventbridge", "send to ses", "cloudwatch:PutMetricData"):
        assert without.one(name)["outcome"] == "skipped"
    assert (found.status, found.bad()) == (3, {"events:PutEvents", "ses:SendEmail"})
    assert found.one("events:PutEvents")["missing_statement"]["Resource"] == [
        "arn:aws:events:us-east-1:111122223333:event-bus/default"
    ]
    assert found.one("ses:SendEmail")["subject"] == "ses:security"
