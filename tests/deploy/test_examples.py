"""The examples' templates on moto: what stands there afterwards, and what the function may do."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from integrity.config.parse import parse_config
from integrity.config.parse_rules import parse_rules
from tests.deploy.examples import (
    GIVEN,
    LOGIN_ARCHIVE,
    LOGIN_LEDGER,
    TATTLETAIL,
    USER_WATCH,
    defaults,
    environment,
)
from tests.deploy.stack import REGION, Stack
from tests.deploy.template import EXAMPLES, Template, fill, listed, of_type, read, statements

FUNCTIONS = (USER_WATCH, TATTLETAIL, LOGIN_LEDGER)
PASSED_OVER = {
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Logs::LogStream",
}
"""What moto passes over while it says CREATE_COMPLETE."""

STREAM = "arn:aws:firehose:us-east-1:123456789012:deliverystream/logins"
SHARED = {"StateTableName": "integrity-state"}


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Each, alone."""
    path: Path = request.param
    values = defaults(path) | GIVEN[path]
    with (
        pytest.MonkeyPatch.context() as patch,
        mock_aws(config={"lambda": {"use_docker": False}}),
    ):
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        boto3.client("logs", region_name=REGION).create_log_group(logGroupName="trail")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            boto3.client("cloudformation", region_name=REGION).create_stack(
                StackName=path.stem,
                TemplateBody=json.dumps(known_to_moto(fill(path, GIVEN[path]))),
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in values.items()
                ],
                Capabilities=["CAPABILITY_IAM"],
            )
        yield Stack(path.stem, {str(one.message).split()[3] for one in told})


def known_to_moto(template: Template) -> Template:
    """moto's CloudFormation makes no streams: without it, and with the ARN that it would have."""
    template["Resources"].pop("Stream", None)
    template["Outputs"].pop("StreamName", None)
    there = json.dumps({"Fn::GetAtt": ["Stream", "Arn"]})
    plain: Template = json.loads(json.dumps(template).replace(there, f'"{STREAM}"'))
    return plain


@pytest.mark.slow
def test_it_deploys_alone(stack: Stack) -> None:
    assert stack.status == "CREATE_COMPLETE"
    assert stack.passed_over <= PASSED_OVER
    if stack.name == LOGIN_ARCHIVE.stem:
        make_stream(stack)
        return
    about = stack.client("lambda").get_function(FunctionName=stack.outputs["FunctionName"])
    # moto takes the kind of the package over from no template.
    assert about["Configuration"]["Timeout"] == 120
    trusted, allowed = stack.role(about["Configuration"]["Role"])
    assert trusted["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert {"KeepState", "WriteItsLog", "KeepWhatFailed"} <= {one["Sid"] for one in allowed}


def make_stream(stack: Stack) -> None:
    """As the template asks, of the service itself: it takes every one of these keys."""
    [asked] = of_type(
        fill(LOGIN_ARCHIVE, GIVEN[LOGIN_ARCHIVE]), "AWS::KinesisFirehose::DeliveryStream"
    ).values()
    target = asked["ExtendedS3DestinationConfiguration"] | {
        "BucketARN": f"arn:aws:s3:::{stack.outputs['ArchiveBucket']}",
        "RoleARN": next(arn for arn in stack.roles() if "StreamRole" in arn),
        "CustomTimeZone": "Asia/Tokyo",
        "EncryptionConfiguration": {
            "KMSEncryptionConfig": {"AWSKMSKeyARN": stack.outputs["KeyArn"]}
        },
        "CloudWatchLoggingOptions": {
            "Enabled": True,
            "LogGroupName": f"/integrity/{stack.name}",
            "LogStreamName": "errors",
        },
    }
    client = stack.client("firehose")
    client.create_delivery_stream(
        DeliveryStreamName="logins",
        DeliveryStreamType=asked["DeliveryStreamType"],
        DeliveryStreamEncryptionConfigurationInput=asked[
            "DeliveryStreamEncryptionConfigurationInput"
        ],
        ExtendedS3DestinationConfiguration=target,
    )
    client.put_record(DeliveryStreamName="logins", Record={"Data": b"{}\n"})
    kept = stack.client("s3").list_objects_v2(Bucket=stack.outputs["ArchiveBucket"])
    assert kept["KeyCount"] == 1


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("more", [{}, SHARED], ids=["alone", "shared"])
def test_the_functions_environment_is_a_configuration(path: Path, more: dict[str, str]) -> None:
    resources = {"StateTable": "made", "Topic": "arn:aws:sns:us-east-1:1:t", "Ledger": "ledger"}

    environ = environment(path, resources | more)

    config = parse_config(environ["INTEGRITY_CONFIG_TOML"], environ)
    assert config.state.place == f"dynamodb://{more.get('StateTableName', 'made')}"
    [trail] = config.trails
    assert (trail.log_group is not None) is (bool(more) and path is not TATTLETAIL)
    if path is TATTLETAIL:
        assert trail.s3_bucket == "trail-logs"
        assert (environ["S3_CONFIG_BUCKET"], environ["S3_CONFIG_PATH"]) == (
            "settings",
            "tattletail.toml",
        )
        return
    found = parse_rules(environ["INTEGRITY_RULES_TOML"])
    assert found.warnings == ()
    assert sum(map(len, environ.values())) < 4096, "more than Lambda takes"


def test_what_is_seen_live_is_missed_only_where_the_bucket_has_one_writer() -> None:
    for sole in ("true", "false"):
        environ = environment(TATTLETAIL, SHARED | {"SoleWriter": sole})
        [trail] = parse_config(environ["INTEGRITY_CONFIG_TOML"], environ).trails
        assert trail.sole_writer is (sole == "true")


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_the_function_is_the_images_command_and_what_fails_is_kept(path: Path) -> None:
    [function] = of_type(fill(path, GIVEN[path]), "AWS::Lambda::Function").values()

    assert function["ImageConfig"] == {"Command": ["live"], "WorkingDirectory": "/tmp"}
    assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": ["FailedPayloads", "Arn"]}}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_action_and_no_resource_is_a_pattern(path: Path) -> None:
    everything = defaults(path) | GIVEN[path]
    for name, about in read(path)["Parameters"].items():
        if everything[name] == "" and "arn:aws" in about.get("AllowedPattern", ""):
            everything[name] = f"arn:aws:service:us-east-1:123456789012:{name}"
    for name, statement in statements(fill(path, everything)):
        assert statement["Effect"] == "Allow", name
        assert not [one for one in listed(statement["Action"]) if "*" in one], name
        assert "*" not in listed(statement["Resource"]), name


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (USER_WATCH, {"Fn::Sub": '{ $.userIdentity.userName = "${UserName}" }'}),
        (LOGIN_LEDGER, '{ $.eventName = "ConsoleLogin" }'),
        (LOGIN_ARCHIVE, '{ $.eventName = "ConsoleLogin" }'),
    ],
)
def test_the_subscription_filters(path: Path, pattern: Any) -> None:
    template = fill(path, GIVEN[path])
    [one] = of_type(template, "AWS::Logs::SubscriptionFilter").values()

    assert one["FilterPattern"] == pattern
    if path is LOGIN_ARCHIVE:
        assert one["DestinationArn"] == {"Fn::GetAtt": ["Stream", "Arn"]}
        assert one["RoleArn"] == {"Fn::GetAtt": ["FilterRole", "Arn"]}
        return
    permissions = of_type(template, "AWS::Lambda::Permission")
    assert permissions["LogsMayCall"]["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_the_archives_stream_unpacks_and_files_by_local_date() -> None:
    template = fill(LOGIN_ARCHIVE, GIVEN[LOGIN_ARCHIVE])
    [stream] = of_type(template, "AWS::KinesisFirehose::DeliveryStream").values()
    asked = stream["ExtendedS3DestinationConfiguration"]

    assert asked["Prefix"] == "consolelogin/!{timestamp:yyyy/MM/dd}/"
    assert asked["ErrorOutputPrefix"].startswith("consolelogin-errors/!{firehose:error-output")
    assert asked["CustomTimeZone"] == {"Ref": "TimeZone"}
    assert defaults(LOGIN_ARCHIVE)["TimeZone"] == "Asia/Tokyo"
    assert asked["FileExtension"] == ".json"
    assert asked["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 10}
    assert asked["EncryptionConfiguration"] == {
        "KMSEncryptionConfig": {"AWSKMSKeyARN": {"Fn::GetAtt": ["Key", "Arn"]}}
    }
    kinds = [one["Type"] for one in asked["ProcessingConfiguration"]["Processors"]]
    assert kinds == ["Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord"]
    assert asked["CloudWatchLoggingOptions"]["Enabled"] is True
    [key] = of_type(template, "AWS::KMS::Key").values()
    said = {one["Sid"]: one for one in key["KeyPolicy"]["Statement"]}
    assert said["TheStreamWrites"]["Principal"] == {"AWS": {"Fn::GetAtt": ["StreamRole", "Arn"]}}


def test_a_new_log_files_notice_is_returned_alone_if_it_fails() -> None:
    template = fill(TATTLETAIL, GIVEN[TATTLETAIL])
    [mapping] = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    queues = of_type(template, "AWS::SQS::Queue")

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    [function] = of_type(template, "AWS::Lambda::Function").values()
    assert queues["NewFiles"]["VisibilityTimeout"] == 6 * function["Timeout"]
