"""What the templates say, held against what the program does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cfnlint.api import lint

from integrity.config.model import Config, MetricsTable
from integrity.config.parse import parse_config
from integrity.metrics import Meter
from integrity.record import ExitStatus
from tests.deploy.template import (
    AUDITED,
    EXTRA_TOPIC,
    KEYS,
    OPERATIONS,
    ORGANIZATION,
    REPOSITORY,
    REQUIRED,
    ROLES,
    SERVICE,
    TEMPLATES,
    TRAIL,
    Template,
    fill,
    listed,
    of_type,
    read,
    statements,
)
from tests.report.samples import run

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
ALL = REQUIRED | OPERATIONS | EXTRA_TOPIC | KEYS | ORGANIZATION | REPOSITORY
SECURITY, OPERATORS = {"Ref": "SecurityTopic"}, {"Ref": "OperationsTopic"}
EXTRA = {"Ref": "ExtraAlarmTopicArn"}

ANY_RESOURCE = {
    "cloudtrail:ListTrails": "has no resource type",
    "cloudtrail:ListPublicKeys": "has no resource type",
    "cloudtrail:LookupEvents": "has no resource type; ExplainFindings leaves it out",
    "ec2:DescribeRegions": "has no resource type",
    "organizations:DescribeOrganization": "has no resource type",
    "organizations:ListAccounts": "has no resource type",
    "cloudwatch:PutMetricData": "has no resource type; the namespace is a condition",
    "cloudwatch:DescribeAlarmsForMetric": "asks by a metric, before an alarm is known",
    "ecr:GetAuthorizationToken": "has no resource type",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_has_nothing_to_say(path: Any) -> None:
    found = lint(path.read_text(encoding="utf-8"), regions=["us-east-1", "eu-central-1"])

    assert [str(match) for match in found] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_what_cloudformation_does_not_read(path: Any) -> None:
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"(^|[\s\[,])[&*][A-Za-z]\w*\s*($|[\]},])", text, re.MULTILINE)
    assert len(text) < 51_200, "more than create-stack takes without a bucket"


# Alarms


def alarms(given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    template = fill(SERVICE, given)
    return of_type(template, "AWS::CloudWatch::Alarm") | of_type(
        template, "AWS::CloudWatch::CompositeAlarm"
    )


def test_every_metric_of_an_alarm_is_one_that_a_tick_or_a_drill_emits() -> None:
    meter = Meter(TRAIL, NOW)
    points = [
        *meter.verification(run(), []),
        *meter.messages(due=0, sent=0),
        meter.heartbeat(),
        meter.drill(),
    ]
    emitted = {point.name: [name for name, _ in point.dimensions] for point in points}

    ours = [one for one in alarms(ALL).values() if one.get("Namespace") != "AWS/SQS"]
    ours = [one for one in ours if "AlarmRule" not in one]

    assert len(ours) == 6
    for one in ours:
        assert one["Namespace"] == MetricsTable().namespace
        assert [about["Name"] for about in one["Dimensions"]] == emitted[one["MetricName"]]
        assert one["Dimensions"][0]["Value"] == {"Ref": "TrailArn"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {},
            {
                "InvalidAlarm": [],
                "GapsAlarm": [],
                "HeartbeatAlarm": [],
                "UnsentAlarm": [SECURITY],
                "FailedRunAlarm": [SECURITY],
                "SilentAlarm": [SECURITY],
                "DrillAlarm": [SECURITY],
            },
        ),
        (
            OPERATIONS | EXTRA_TOPIC,
            {
                "InvalidAlarm": [],
                "GapsAlarm": [],
                "HeartbeatAlarm": [],
                "UnsentAlarm": [SECURITY, OPERATORS, EXTRA],
                "FailedRunAlarm": [OPERATORS, EXTRA],
                "SilentAlarm": [OPERATORS, EXTRA],
                "BlindAlarm": [SECURITY],
                "DrillAlarm": [SECURITY, OPERATORS, EXTRA],
            },
        ),
    ],
    ids=["one topic", "three topics"],
)
def test_who_hears_of_an_alarm(given: dict[str, str], expected: dict[str, list[Any]]) -> None:
    found = alarms(REQUIRED | given)

    assert {name: one.get("AlarmActions", []) for name, one in found.items()} == expected
    silent: dict[str, list[Any]] = {"DrillAlarm": []}  # that a drill is over is no news
    assert {name: one.get("OKActions", []) for name, one in found.items()} == expected | silent


def test_silence_is_told_only_where_no_failed_run_was() -> None:
    rule = alarms(REQUIRED)["SilentAlarm"]["AlarmRule"]

    assert rule == {
        "Fn::Sub": 'ALARM("${HeartbeatAlarm.Arn}") AND NOT ALARM("${FailedRunAlarm.Arn}")'
    }


def test_only_a_missing_heartbeat_is_a_breach_by_itself() -> None:
    found = {name: one.get("TreatMissingData") for name, one in alarms(ALL).items()}

    assert {name for name, missing in found.items() if missing == "breaching"} == {
        "HeartbeatAlarm",
        "BlindAlarm",
    }


def test_a_run_failed_unless_it_ended_with_a_verdict_or_was_asked_to_stop() -> None:
    [rule] = of_type(fill(SERVICE, REQUIRED), "AWS::Events::Rule").values()
    either = rule["EventPattern"]["detail"]["$or"]

    verdicts = [ExitStatus.VALID, ExitStatus.INVALID, ExitStatus.UNDETERMINED]
    codes = sorted(int(status) for status in (*verdicts, ExitStatus.INTERRUPTED))
    assert either == [
        {"containers": {"exitCode": [{"anything-but": codes}]}},
        {"containers": {"exitCode": [{"exists": False}]}},
    ]


def test_every_alarm_stands_in_the_table_of_the_document() -> None:
    text = (SERVICE.parents[1] / "docs" / "alarms.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+Alarm)` \|", text, re.MULTILINE)

    assert sorted(rows) == sorted(alarms(ALL))


# The task


def container(given: Mapping[str, str]) -> dict[str, Any]:
    [task] = of_type(fill(SERVICE, {**REQUIRED, **given}), "AWS::ECS::TaskDefinition").values()
    [only] = task["ContainerDefinitions"]
    return dict(only)


def test_the_task_is_a_tick_that_can_write_nowhere_but_in_its_scratch_place() -> None:
    only = container({})

    assert only["Command"] == ["run"]
    assert only["User"].split(":")[0] not in ("", "0", "root")
    assert only["ReadonlyRootFilesystem"] is True
    assert only["Privileged"] is False
    assert only["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert [one["ContainerPath"] for one in only["MountPoints"]] == ["/var/lib/integrity"]
    assert only["LogConfiguration"]["LogDriver"] == "awslogs"


def config(given: Mapping[str, str]) -> Config:
    """What the container's environment comes to; names of resources stand for their ARNs."""
    only = container(given)
    environ = {one["Name"]: one["Value"] for one in only["Environment"]}
    environ |= {one["Name"]: "of-the-secret" for one in only["Secrets"]}
    written, lines = environ["INTEGRITY_CONFIG_TOML"]["Fn::Sub"]
    defaults = {
        name: str(about.get("Default")) for name, about in read(SERVICE)["Parameters"].items()
    }
    values = {
        **defaults,
        **REQUIRED,
        **given,
        "StateTable": "integrity-state",
        "Records": "integrity-records",
        "SecurityTopic": "arn:aws:sns:us-east-1:123456789012:security",
        "OperationsTopic": "arn:aws:sns:us-east-1:123456789012:operations",
    }
    for name, line in lines.items():
        values[name] = substituted(line, values)
    environ["INTEGRITY_CONFIG_TOML"] = substituted(written, values)
    environ["AWS_REGION"] = "us-east-1"
    return parse_config(environ["INTEGRITY_CONFIG_TOML"], environ)


def substituted(value: Any, values: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        [(function, about)] = value.items()
        value = values[about] if function == "Ref" else about
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], value)


def test_the_least_configuration_is_one_trail_and_one_topic() -> None:
    made = config({})

    [trail] = made.trails
    assert (trail.trail_arn, trail.s3_bucket, trail.s3_prefix) == (TRAIL, "audit-logs", None)
    assert (trail.role_arn, trail.bucket_role_arn, trail.external_id) == (None, None, None)
    assert made.state.place == "dynamodb://integrity-state"
    assert made.records.place == "s3://integrity-records/records"
    assert made.audiences.operations.sns_topic_arns == ()
    assert made.audiences.security.sns_topic_arns == (
        "arn:aws:sns:us-east-1:123456789012:security",
    )
    assert made.metrics.enabled


def test_what_is_given_stands_in_the_configuration() -> None:
    made = config(
        OPERATIONS
        | ORGANIZATION
        | ROLES
        | {
            "TrailPrefix": "audit/prod",
            "RetentionDays": "400",
            "RecordsBucket": "my-records",
            "RecordsPrefix": "of/main",
            "RecordsKmsKeyArn": KEYS["RecordsKmsKeyArn"],
            "RecordsSigningKeyArn": KEYS["RecordsSigningKeyArn"],
            "MoreTrailSettings": 'ignore = ["123456789012", "777788889999/me-south-1"]',
        }
    )

    [trail] = made.trails
    assert (trail.s3_prefix, trail.organization_id) == ("audit/prod", "o-exampleorgid")
    assert (trail.role_arn, trail.bucket_role_arn) == (
        ROLES["TrailRoleArn"],
        ROLES["BucketRoleArn"],
    )
    for secret in (trail.external_id, trail.bucket_external_id):
        assert secret is not None
        assert secret.get_secret_value() == "of-the-secret"
    assert len(trail.ignore) == 2
    assert trail.retention_days == 400
    assert made.records.place == "s3://my-records/of/main"
    assert made.records.kms_key_id == KEYS["RecordsKmsKeyArn"]
    assert made.records.sign == f"kms:{KEYS['RecordsSigningKeyArn']}"
    assert made.audiences.operations.sns_topic_arns == (
        "arn:aws:sns:us-east-1:123456789012:operations",
    )


@pytest.mark.parametrize(
    ("role", "variable"),
    [
        ("TrailRoleArn", "INTEGRITY_TRAILS_0_EXTERNAL_ID"),
        ("BucketRoleArn", "INTEGRITY_TRAILS_0_BUCKET_EXTERNAL_ID"),
    ],
)
def test_an_external_id_goes_with_its_role_alone(role: str, variable: str) -> None:
    given = {name: ROLES[name] for name in (role, "ExternalIdSecretArn")}

    assert [one["Name"] for one in container(given)["Secrets"]] == [variable]
    assert len(config(given).trails) == 1


# Permissions


def every_template() -> dict[str, Template]:
    audited = {
        "TaskRoleArn": "arn:aws:iam::123456789012:role/task",
        "ExternalId": "of-the-secret",
        "TrailArn": TRAIL,
        "OrganizationTrail": "true",
        "TrailBucket": "audit-logs",
        "TrailKmsKeyArn": KEYS["TrailKmsKeyArn"],
    }
    return {
        "own account": fill(SERVICE, ALL),
        "other accounts": fill(SERVICE, ALL | ROLES),
        "audited account": fill(AUDITED, audited),
    }


def test_any_resource_is_named_only_where_the_service_knows_none() -> None:
    found = {
        action
        for template in every_template().values()
        for _, statement in statements(template)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }

    assert found == set(ANY_RESOURCE)


def test_no_action_is_a_pattern() -> None:
    for template in every_template().values():
        for name, statement in statements(template):
            assert statement["Effect"] == "Allow", name
            assert not [one for one in listed(statement["Action"]) if "*" in one], name


def test_another_account_is_read_by_its_role_alone() -> None:
    own, other = (
        {sid["Sid"] for name, sid in statements(fill(SERVICE, ALL | given)) if name == "TaskPolicy"}
        for given in ({}, ROLES)
    )
    reading = {"AskAboutTrails", "AskWhatHasNoResource", "AskAboutTheOrganization"}
    reading |= {"ListFiles", "ReadFiles", "DecryptFiles"}
    reading |= {"AskWhoDidIt", "ListVersions", "ReadVersions"}

    assert reading <= own
    assert other == own - reading | {"BecomeTheAuditedAccountsRoles"}


def test_the_role_of_an_audited_account_has_what_the_task_has_at_home() -> None:
    templates = every_template()
    own = {one["Sid"]: one for name, one in statements(templates["own account"])}
    audited = [one for _, one in statements(templates["audited account"])]

    assert len(audited) == 9
    assert all(one == own[one["Sid"]] for one in audited)


def test_who_does_not_want_explanations_gives_no_rights_for_them() -> None:
    audited = {
        "TaskRoleArn": "arn:aws:iam::123456789012:role/task",
        "ExternalId": "of-the-secret",
        "TrailArn": TRAIL,
        "TrailBucket": "audit-logs",
    }
    for path, given in ((SERVICE, ALL), (AUDITED, audited)):
        with_them, without = (
            {sid["Sid"] for _, sid in statements(fill(path, given | wanted))}
            for wanted in ({}, {"ExplainFindings": "false"})
        )
        assert with_them - without == {"AskWhoDidIt", "ListVersions", "ReadVersions"}


def test_the_key_lets_alarms_and_the_task_publish() -> None:
    [key] = of_type(fill(SERVICE, REQUIRED), "AWS::KMS::Key").values()
    said = {one["Sid"]: one for one in key["KeyPolicy"]["Statement"]}

    alarm, task = said["AlarmsPublish"], said["TheTaskPublishes"]
    assert alarm["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarm["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert "Condition" not in alarm
    assert task["Principal"] == {"AWS": {"Fn::GetAtt": ["TaskRole", "Arn"]}}
    topics = of_type(fill(SERVICE, REQUIRED | OPERATIONS), "AWS::SNS::Topic").values()
    assert [one["KmsMasterKeyId"] for one in topics] == 2 * [{"Fn::GetAtt": ["TopicKey", "Arn"]}]


def test_every_waiver_has_a_reason() -> None:
    waivers = [
        waiver
        for path in TEMPLATES
        for about in read(path)["Resources"].values()
        for waiver in about.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]

    assert waivers
    assert all(len(waiver["comment"]) > 40 for waiver in waivers)
