"""The service's template on moto: what stands there afterwards, and how it is kept safe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.stack import ACCOUNT, NOT_IN_MOTO, Stack, deployed
from tests.deploy.template import (
    EXTRA_TOPIC,
    OPERATIONS,
    REQUIRED,
    SERVICE,
    fill,
    of_type,
    read,
)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed(OPERATIONS | EXTRA_TOPIC | {"LogRetentionDays": "400"}) as made:
        yield made


def test_it_deploys(stack: Stack) -> None:
    assert stack.status == "CREATE_COMPLETE"
    assert stack.passed_over == NOT_IN_MOTO


def test_the_table_is_what_the_store_asks_for(stack: Stack) -> None:
    client = stack.client("dynamodb")
    [name] = client.list_tables()["TableNames"]
    table = client.describe_table(TableName=name)["Table"]

    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert {one["AttributeType"] for one in table["AttributeDefinitions"]} == {"S"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is True
    # moto does not take these over from a template.
    [asked] = of_type(fill(SERVICE, REQUIRED), "AWS::DynamoDB::Table").values()
    assert asked["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert asked["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_records_lie_in_a_closed_bucket_with_versions(stack: Stack) -> None:
    bucket, _, prefix = stack.outputs["RecordsPlace"].removeprefix("s3://").partition("/")
    answer = stack.client("s3").get_bucket_encryption(Bucket=bucket)
    [rule] = answer["ServerSideEncryptionConfiguration"]["Rules"]

    assert prefix == "records"
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    # moto does not take these over from a template.
    asked = fill(SERVICE, REQUIRED | {"RecordsLockDays": "400"})["Resources"]["Records"]
    assert asked["DeletionPolicy"] == asked["UpdateReplacePolicy"] == "Retain"
    properties = asked["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert list(properties["PublicAccessBlockConfiguration"].values()) == 4 * [True]
    assert properties["ObjectLockEnabled"] is True


def test_an_own_place_for_the_records_makes_no_bucket() -> None:
    template = fill(SERVICE, REQUIRED | {"RecordsBucket": "my-records", "RecordsLockDays": "400"})

    assert of_type(template, "AWS::S3::Bucket") == {}
    assert of_type(template, "AWS::S3::BucketPolicy") == {}


def test_without_a_lock_the_bucket_is_made_without_one() -> None:
    [asked] = of_type(fill(SERVICE, REQUIRED), "AWS::S3::Bucket").values()
    assert not {"ObjectLockEnabled", "ObjectLockConfiguration"} & set(asked)


def test_both_topics_are_encrypted_with_the_stacks_key(stack: Stack) -> None:
    client = stack.client("sns")
    [key] = stack.client("kms").list_keys()["Keys"]
    arns = [stack.outputs["SecurityTopicArn"], stack.outputs["OperationsTopicArn"]]

    assert len(set(arns)) == 2
    for arn in arns:
        about = client.get_topic_attributes(TopicArn=arn)["Attributes"]
        assert about["KmsMasterKeyId"] == key["KeyArn"]
    assert stack.client("kms").get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]


def test_the_log_is_kept_for_as_long_as_was_said(stack: Stack) -> None:
    [group] = stack.client("logs").describe_log_groups()["logGroups"]

    assert (group["logGroupName"], group["retentionInDays"]) == ("/integrity/integrity", 400)
    assert stack.outputs["LogGroupName"] == group["logGroupName"]


def test_the_task_has_two_roles_and_one_log(stack: Stack) -> None:
    client = stack.client("ecs")
    task = client.describe_task_definition(taskDefinition=stack.outputs["TaskDefinitionArn"])
    definition = task["taskDefinition"]
    [only] = definition["containerDefinitions"]

    assert definition["family"] == "integrity-tick"
    # moto does not take these over from a template.
    [asked] = of_type(fill(SERVICE, REQUIRED), "AWS::ECS::TaskDefinition").values()
    assert asked["TaskRoleArn"] == {"Fn::GetAtt": ["TaskRole", "Arn"]}
    assert asked["ExecutionRoleArn"] == {"Fn::GetAtt": ["ExecutionRole", "Arn"]}
    assert only["logConfiguration"]["options"]["awslogs-group"] == stack.outputs["LogGroupName"]
    [cluster] = client.describe_clusters(clusters=[stack.outputs["ClusterName"]])["clusters"]
    assert cluster["clusterName"] == "integrity"


@pytest.mark.parametrize("architecture", ["X86_64", "ARM64"])
def test_the_image_may_be_of_either_architecture(architecture: str) -> None:
    about = read(SERVICE)["Parameters"]["CpuArchitecture"]
    [task] = of_type(fill(SERVICE, REQUIRED), "AWS::ECS::TaskDefinition").values()

    assert architecture in about["AllowedValues"]
    assert task["RuntimePlatform"]["CpuArchitecture"] == {"Ref": "CpuArchitecture"}


def test_roles_trust_the_service_that_needs_them_and_this_account(stack: Stack) -> None:
    trusted = []
    for role in stack.roles():
        [statement] = stack.role(role)[0]["Statement"]
        trusted.append(statement["Principal"]["Service"])
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert sorted(trusted) == [
        "ecs-tasks.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "scheduler.amazonaws.com",
    ]


def test_the_schedule_may_start_this_task_with_its_roles_and_nothing_else(stack: Stack) -> None:
    roles = stack.roles()
    [schedule] = [arn for arn in roles if "ScheduleRole" in arn]
    allowed = {one["Action"]: one for one in stack.role(schedule)[1]}

    assert set(allowed) == {"ecs:RunTask", "iam:PassRole", "sqs:SendMessage"}
    family = stack.outputs["TaskDefinitionArn"].rpartition(":")[0]
    assert allowed["ecs:RunTask"]["Resource"] == f"{family}:*"
    assert sorted(allowed["iam:PassRole"]["Resource"]) == sorted(set(roles) - {schedule})


def test_failed_runs_go_to_the_queue(stack: Stack) -> None:
    client = stack.client("events")
    [rule] = client.list_rules()["Rules"]
    [target] = client.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    about = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["FailedRunsUrl"], AttributeNames=["All"]
    )["Attributes"]

    assert target["Arn"] == about["QueueArn"]
    assert about["MessageRetentionPeriod"] == str(14 * 24 * 3600)


def test_without_a_mail_of_its_own_operations_is_told_where_security_is() -> None:
    with deployed({}, name="alone") as alone:
        assert "alone-SecurityTopic" in alone.outputs["SecurityTopicArn"]
        assert alone.outputs["OperationsTopicArn"] == alone.outputs["SecurityTopicArn"]
