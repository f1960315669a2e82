"""Variables stand for keys, count more than the text, and none is lost to a slip."""

from __future__ import annotations

import pytest

from integrity.config.environment import SIGN_PASSPHRASE, lay_over
from integrity.config.model import Config
from integrity.config.parse import parse_config
from integrity.errors import ConfigError
from integrity.evidence.signature import PASSPHRASE

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
ROLE = "arn:aws:iam::111122223333:role/r"
TEXT = f'notify = "none"\n[[trails]]\ntrail_arn = "{ARN}"\nignore = ["111122223333"]\n'


def parse(text: str = TEXT, **variables: str) -> Config:
    environ = {f"INTEGRITY_{name}": value for name, value in variables.items()}
    return parse_config(text, {"PATH": "/bin", "AWS_REGION": "us-east-1", **environ})


def mistakes(text: str = TEXT, **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        parse(text, **variables)
    return refused.value.mistakes


def test_they_can_say_everything() -> None:
    config = parse(
        "",
        TRAILS_0_TRAIL_ARN=ARN,
        TRAILS_0_ROLE_ARN=ROLE,
        TRAILS_0_EXTERNAL_ID="secret",
        TRAILS_0_RETENTION_DAYS="30",
        TRAILS_1_TRAIL_ARN=f"{ARN}-2",
        TRAILS_1_SOURCE_REGIONS="us-east-1, eu-west-1,",
        AUDIENCES_SECURITY_SNS_TOPIC_ARNS="arn:aws:sns:us-east-1:111122223333:t",
        METRICS_PER_CHAIN="True",
        STATE_DYNAMODB_TABLE="state",
        SERVICE_OVERLAP="8h",
    )
    first, second = config.trails
    assert (first.role_arn, first.retention_days) == (ROLE, 30)
    assert second.source_regions == ("us-east-1", "eu-west-1")
    assert config.metrics.per_chain
    assert config.state.place == "dynamodb://state"


def test_they_count_more_than_the_text_and_only_where_they_speak() -> None:
    config = parse(TRAILS_0_IGNORE="444455556666", TRAILS_0_GRACE="2h")
    assert config.trails[0].ignore == ("444455556666",)
    assert config.trails[0].trail_arn == ARN


def test_trails_are_added_in_order_whatever_the_order_of_the_variables() -> None:
    config = parse(
        **{f"TRAILS_{number}_TRAIL_ARN": f"{ARN}-{number}" for number in (11, 2, 1, *range(3, 11))}
    )
    assert [trail.trail_arn for trail in config.trails[1:]] == [
        f"{ARN}-{number}" for number in range(1, 12)
    ]


def test_a_number_that_is_left_out_is_told() -> None:
    assert mistakes(TRAILS_2_TRAIL_ARN=ARN) == (
        "INTEGRITY_TRAILS_2_TRAIL_ARN: there is no table 2 to say this of; the next is 1",
    )


def test_an_empty_one_was_not_given() -> None:
    assert parse(SERVICE_SCHEDULE="", TRAILS_1_TRAIL_ARN="") == parse()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SERVICE_SCHEDUL", "did you mean INTEGRITY_SERVICE_SCHEDULE?"),
        ("SERVICE__SCHEDULE", "did you mean INTEGRITY_SERVICE_SCHEDULE?"),
        ("TRAILS_0_ROLE", "did you mean INTEGRITY_TRAILS_N_ROLE_ARN?"),
        ("TRAILS_N_ROLE_ARN", "did you mean INTEGRITY_TRAILS_N_ROLE_ARN?"),
        ("TRAILS_ROLE_ARN", "did you mean INTEGRITY_TRAILS_N_ROLE_ARN?"),
        ("XYZZY", "has this variable ("),
    ],
)
@pytest.mark.parametrize("value", ["x", ""])
def test_a_name_that_is_no_keys_is_told(name: str, hint: str, value: str) -> None:
    [said] = mistakes(**{name: value})
    assert said.startswith(f"INTEGRITY_{name}: no key")
    assert hint in said


def test_what_orchestrators_put_there_is_none_of_ours() -> None:
    assert (
        parse(
            SERVICE_HOST="10.0.0.1",
            SERVICE_PORT="80",
            SERVICE_PORT_HTTP="80",
            PORT="tcp://10.0.0.1:80",
            PORT_80_TCP="tcp://10.0.0.1:80",
            PORT_80_TCP_ADDR="10.0.0.1",
            STATUS_PAGE_SERVICE_HOST="10.0.0.2",
            CONFIG="file",
            CONFIG_TOML="text",
        )
        == parse()
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("METRICS_ENABLED", "1", "metrics.enabled (INTEGRITY_METRICS_ENABLED): expected true or"),
        ("SERVICE_CONCURRENCY", "many", "expected a whole number, not 'many'"),
        ("SERVICE_CONCURRENCY", "0", "expected at least 1, not 0"),
        ("TRAILS_0_ACCOUNT_IDS", "111122223333,2", "trails[0].account_ids[1] (INTEGRITY_TRAILS_0"),
        ("TRAILS_0_EXTERNAL_ID", "hush", "trails[0].external_id (INTEGRITY_TRAILS_0_EXTERNAL_ID):"),
    ],
)
def test_a_mistake_names_the_variable_too(name: str, value: str, said: str) -> None:
    [mistake] = mistakes(**{name: value})
    assert said in mistake
    assert "hush" not in mistake


def test_a_text_that_has_something_else_there_is_the_mistake() -> None:
    assert mistakes('trails = 5\nnotify = "none"', TRAILS_0_ROLE_ARN=ROLE) == (
        "trails: expected an array of tables, each under [[trails]], not 5",
    )
    assert "service: expected a table, not 'x'" in mistakes(
        f'service = "x"\n{TEXT}', SERVICE_JITTER="2m"
    )


def test_webhooks_are_numbered_in_their_audience_and_stay_unshown() -> None:
    url, secret = "https://hooks.example.com/hush", "hush" * 8
    text = TEXT.removeprefix('notify = "none"\n')
    config = parse(
        text,
        AUDIENCES_SECURITY_WEBHOOKS_0_URL=url,
        AUDIENCES_SECURITY_WEBHOOKS_0_SECRET=secret,
        AUDIENCES_OPERATIONS_SLACK_WEBHOOK_URL=url,
    )
    [webhook] = config.audiences.security.webhooks
    assert (webhook.url.get_secret_value(), webhook.secret.get_secret_value()) == (url, secret)
    assert "hush" not in repr(config) + str(config) + config.model_dump_json()
    assert (
        config.sha256
        == parse(
            text,
            AUDIENCES_SECURITY_WEBHOOKS_0_URL=f"{url}2",
            AUDIENCES_SECURITY_WEBHOOKS_0_SECRET=f"{secret}2",
            AUDIENCES_OPERATIONS_SLACK_WEBHOOK_URL=f"{url}2",
        ).sha256
    )


def test_the_passphrase_of_the_signing_key_is_no_key_and_no_mistake() -> None:
    assert SIGN_PASSPHRASE == PASSPHRASE
    overlay = lay_over({}, {PASSPHRASE: "correct horse"})
    assert (overlay.variables, overlay.mistakes) == ({}, [])
