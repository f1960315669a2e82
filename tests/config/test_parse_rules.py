"""A rules file: tattletail's documented form, every mistake at once, secrets that never show."""

from __future__ import annotations

import pytest

from integrity.config.parse_rules import parse_rules
from integrity.config.rules import DESTINATIONS, SesTable, SlackTable, SnsTable
from integrity.errors import ConfigError

TATTLETAIL = """
[[rule]]
name = "New user"
jq_match = 'select(.eventName == "CreateUser") | "user: \\\\(.responseElements.user.userName)"'
description = "An IAM user was made"
destinations = ["topic", "The channel", "mail"]

[[rule]]
name = "New key"
jq_match = 'select(.eventName == "CreateAccessKey")'
description = ""
destinations = ["topic"]

[[destination]]
id = "topic"
type = "sns"
sns_arn = "arn:aws:sns:us-east-1:1234567890:alerts"

[[destination]]
id = "The channel"
type = "slack_webhook"
webhook_url = "https://hooks.slack.example/services/WhoeverHasThis"

[[destination]]
id = "mail"
type = "ses"
to_emails = ["a@example.com", "b@example.com"]
from_email = "alerts@example.com"
"""
RULE = '[[rule]]\nname = "a"\nmatch = "."\n'


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse_rules(text)
    return list(refused.value.mistakes)


def test_tattletails_documented_form_is_taken_as_it_is() -> None:
    found = parse_rules(TATTLETAIL)

    assert [rule.name for rule in found.rules] == ["New user", "New key"]
    assert found.rules[0].program.startswith('select(.eventName == "CreateUser") |')
    sns, slack, ses = found.destinations
    assert isinstance(sns, SnsTable)
    assert isinstance(slack, SlackTable)
    assert isinstance(ses, SesTable)
    assert ses.recipients == ("a@example.com", "b@example.com")
    [warning] = found.warnings
    assert warning.startswith("destination[1].webhook_url (The channel) is a secret")


def test_an_older_tattletail_has_one_recipient() -> None:
    text = 'id = "m"\ntype = "ses"\nto_email = "a@b.example"\nfrom_email = "c@b.example"'
    [mail] = parse_rules(f"{RULE}[[destination]]\n{text}").destinations

    assert isinstance(mail, SesTable)
    assert mail.recipients == ("a@b.example",)


def test_every_mistake_is_told_with_table_and_key() -> None:
    found = mistakes("""
        other = 1
        destination = 3
        [[rule]]
        name = ""
        jq_match = 3
        descripton = "x"
        destinations = "topic"
        template = "{a b}"
        event_names = ["Console Login"]
        time_zone = "Mars/Olympus"
        [[rule]]
        name = "b"
        [[rule]]
        name = "b"
        match = "."
        jq_match = "."
        destinations = ["nobody"]
    """)

    assert found == [
        "other: it is no table of a rules file; there are [[rule]] and [[destination]]",
        "rule[0].name: expected at least one character, not ''",
        "rule[0].jq_match: expected text in quotes, not 3",
        "rule[0].destinations: expected a list in brackets, not 'topic'",
        "rule[0].event_names[0]: expected the form ^[A-Za-z0-9_]+$, not 'Console Login'",
        "rule[0].template: {a b} is no field: expected {eventName} or {userIdentity.userName}",
        "rule[0].time_zone: 'Mars/Olympus' is no time zone: expected its name, such as "
        "Asia/Tokyo or UTC",
        "rule[0].descripton: it is not a key of this table; did you mean description?",
        "destination: expected an array of tables, each under [[destination]]",
        "rule[2].name: rule[1].name is 'b' already",
        "rule[1].match: it is missing: expected a jq program, such as '.eventName == \"X\"'",
        "rule[2].match: jq_match says it too: leave one out: expected a jq program, such as "
        "'.eventName == \"X\"'",
        "rule[2].destinations[0]: there is no destination 'nobody'; there are: none",
    ]


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ('type = "smoke"', "destination[0].type: 'smoke' is no type of destination: expected sns,"),
        ("id = 1", "destination[0].type: it is missing: expected sns, slack_webhook,"),
        ('type = "sns"\nsns_arn = "arn:aws:sqs:x"', "destination[0].sns_arn: expected the form"),
        ('type = "sns"', "destination[0].sns_arn: it is missing: The topic."),
        ('type = "ses"\nfrom_email = "a@b.example"', "destination[0].to_emails: it is missing"),
        ('type = "slack_webhook"', "destination[0].webhook_url_env: expected the variable"),
        ('type = "webhook"\nsecret_env = "S"', "destination[0].url_env: expected the variable"),
        ('type = "webhook"\nurl_env = "U"', "destination[0].secret_env: it is missing"),
        ('type = "eventbridge"\nbus_arn = "x"', "destination[0].bus_arn: 'x' is no event bus"),
        ('type = "firehose"\nstream_arn = "x"', "destination[0].stream_arn: 'x' is no ARN of a"),
        (
            'type = "dynamodb"\ntable = "ttt"\nfields = ["a b"]',
            "destination[0].fields[0]: expected NAME",
        ),
        ('type = "dynamodb"\ntable = "ttt"\nkeep_days = 0', "destination[0].keep_days: "),
        ('type = "s3"\nbucket = "logs"', "destination[0].kms_key_id: it is missing"),
    ],
)
def test_each_type_of_destination_has_its_keys(table: str, mistake: str) -> None:
    head = "" if table.startswith("id") else 'id = "d"\n'
    found = mistakes(f"{RULE}[[destination]]\n{head}{table}\n")

    assert any(one.startswith(mistake) for one in found), found


def test_a_secret_is_never_shown() -> None:
    secret = "ftp://hooks.example/WhoeverHasThis"
    [mistake] = mistakes(f"""{RULE}
        [[destination]]
        id = "c"
        type = "slack_webhook"
        webhook_url = "{secret}"
    """)

    assert mistake.startswith("destination[0].webhook_url: it is not protected by TLS")
    assert "WhoeverHasThis" not in mistake + str(parse_rules(TATTLETAIL))


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[[rule]", "the text is not TOML: "),
        ("", "rule: there is nothing to look for: expected at least one [[rule]] table"),
        ("rule = [3]", "rule[0]: expected a table under [[rule]]"),
        (RULE * 2, "rule[1].name: rule[0].name is 'a' already"),
    ],
)
def test_what_is_no_rules_file_says_so(text: str, mistake: str) -> None:
    assert mistakes(text)[0].startswith(mistake)


def test_a_rule_that_tells_nobody_is_warned_of() -> None:
    assert parse_rules(RULE).warnings == ("rule[0] (a) tells nobody: it has no destinations",)


def test_all_types_of_the_documentation_are_there() -> None:
    assert list(DESTINATIONS) == [
        *("sns", "slack_webhook", "ses", "eventbridge", "webhook", "dynamodb", "s3", "firehose")
    ]
