"""A text and an environment become one value, or every mistake in them."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from integrity.config.keys import Key, Kind, all_keys
from integrity.config.parse import parse_config
from integrity.errors import ConfigError, UsageError
from integrity.state import Audience

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
TOPIC = "arn:aws:sns:us-east-1:111122223333:security"
HOOK = "https://hooks.example.com/services/T0/B0/whoever-has-this"
SIGNING = "0123456789abcdef0123456789abcdef"
TRAIL = f'[[trails]]\ntrail_arn = "{ARN}"\n'
TOLD = f'[audiences.security]\nsns_topic_arns = ["{TOPIC}"]\n'


def mistakes(text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse_config(text, environ or {})
    assert str(refused.value) == "; ".join(refused.value.mistakes)
    return list(refused.value.mistakes)


def only_mistake(text: str, environ: dict[str, str] | None = None) -> str:
    [mistake] = mistakes(text, environ)
    return mistake


class TestWhatIsRight:
    def test_little_is_enough(self) -> None:
        config = parse_config(TRAIL + TOLD, {})
        assert config.trails[0].trail_arn == ARN
        assert config.trails[0].grace == timedelta(hours=1)
        assert config.service.schedule == "20 * * * *"
        assert config.service.jitter == timedelta(seconds=120)
        assert config.service.overlap == timedelta(hours=6)
        assert config.service.first_window == timedelta(hours=48)
        assert config.state.place == "/var/lib/integrity/state.sqlite"
        assert config.metrics.enabled
        assert config.metrics.namespace == "CloudTrailIntegrity"

    def test_it_is_frozen_and_travels(self) -> None:
        config = parse_config(TRAIL + TOLD, {})
        with pytest.raises(ValidationError, match="frozen"):
            config.service.concurrency = 1
        assert pickle.loads(pickle.dumps(config)) == config
        assert hash(config) == hash(parse_config(TRAIL + TOLD, {}))

    def test_operations_is_told_where_security_is_unless_it_has_its_own(self) -> None:
        audiences = parse_config(TRAIL + TOLD, {}).audiences
        assert [audiences.of(one).sns_topic_arns for one in Audience] == [(TOPIC,), (TOPIC,)]
        own = f'[audiences.operations]\nsns_topic_arns = ["{TOPIC}-2"]\n'
        audiences = parse_config(TRAIL + TOLD + own, {}).audiences
        assert audiences.of(Audience.SECURITY).sns_topic_arns == (TOPIC,)
        assert audiences.of(Audience.OPERATIONS).sns_topic_arns == (f"{TOPIC}-2",)

    def test_nobody_is_told_only_if_that_is_said(self) -> None:
        audiences = parse_config(f'notify = "none"\n{TRAIL}', {}).audiences
        assert not any(audiences.of(one).has_destination for one in Audience)
        said = only_mistake(TRAIL)
        assert said.startswith("audiences.security: nobody would be told")
        assert 'notify = "none"' in said

    @pytest.mark.parametrize(
        "written",
        [
            f'slack_webhook_url = "{HOOK}"',
            'eventbridge_bus_arns = ["default"]',
            'eventbridge_bus_arns = ["arn:aws-cn:events:cn-north-1:111122223333:event-bus/a/b"]',
            'ses_from = "a@example.com"\nses_to = ["b@example.com"]',
            f'[[audiences.security.webhooks]]\nurl = "{HOOK}"\nsecret = "{SIGNING}"',
            'dynamodb_tables = ["ledger"]',
            '[[audiences.security.s3]]\nbucket = "archive"\nkms_key_id = "alias/archive"',
            'firehose_stream_arns = ["arn:aws:firehose:us-east-1:111122223333:deliverystream/a"]',
            f'webhooks = [{{url = "http://127.0.0.1:8080/", secret = "{SIGNING}"}}]',
        ],
    )
    def test_every_kind_of_destination_is_a_way_to_be_told(self, written: str) -> None:
        audiences = parse_config(f"{TRAIL}[audiences.security]\n{written}\n", {}).audiences
        assert audiences.of(Audience.SECURITY).has_destination
        assert audiences.of(Audience.OPERATIONS) is audiences.security

    def test_operations_with_a_way_of_its_own_has_none_of_securitys(self) -> None:
        text = f'{TRAIL}{TOLD}[audiences.operations]\nslack_webhook_url = "{HOOK}"\n'
        own = parse_config(text, {}).audiences.of(Audience.OPERATIONS)
        assert own.slack_webhook_url is not None
        assert own.sns_topic_arns == ()

    def test_a_topic_for_operations_alone_leaves_security_out(self) -> None:
        text = f'{TRAIL}[audiences.operations]\nsns_topic_arns = ["{TOPIC}"]\n'
        assert only_mistake(text).startswith("audiences.security: nobody would be told")

    @pytest.mark.parametrize(
        ("written", "place"),
        [
            ('sqlite_path = "state.db"', "state.db"),
            ('dynamodb_table = "state"', "dynamodb://state"),
            (
                'dynamodb_table = "arn:aws:dynamodb:eu-west-1:111122223333:table/state"',
                "arn:aws:dynamodb:eu-west-1:111122223333:table/state",
            ),
        ],
    )
    def test_where_the_state_is(self, written: str, place: str) -> None:
        assert parse_config(f"{TRAIL}{TOLD}[state]\n{written}\n", {}).state.place == place

    @pytest.mark.parametrize("schedule", ["20 * * * *", "*/15 3-5 * * mon-fri", "0 0 29 2 *"])
    def test_schedules(self, schedule: str) -> None:
        text = f'{TRAIL}{TOLD}[service]\nschedule = "{schedule}"\n'
        assert parse_config(text, {}).service.schedule == schedule

    def test_a_slash_behind_a_prefix_and_repetitions_do_not_count(self) -> None:
        more = 's3_bucket = "b-1"\ns3_prefix = "org/"\nignore = ["111122223333", "111122223333"]\n'
        trail = parse_config(TRAIL + more + TOLD, {}).trails[0]
        assert (trail.s3_prefix, trail.ignore) == ("org", ("111122223333",))


class TestMistakes:
    def test_all_are_told_at_once(self) -> None:
        text = (
            'notfy = "none"\n[[trails]]\ntrail_arn = "main"\ngrace = 5\n[[trails]]\n'
            'role_arn = "arn:aws:iam::1:role/r"\nexternal_id = ""\nschedule = "x"\n'
            '[service]\nconcurrency = 0\n[state]\nsqlite_path = "a"\ndynamodb_table = "abc"\n'
        )
        told = mistakes(text, {"INTEGRITY_METRICS_ENABLED": "perhaps", "INTEGRITY_METRIC": "1"})
        assert [mistake.partition(":")[0] for mistake in told] == [
            "INTEGRITY_METRIC",
            "trails[0].trail_arn",
            "trails[0].grace",
            "trails[1].trail_arn",
            "trails[1].role_arn",
            "trails[1].external_id",
            "trails[1].schedule",
            "service.concurrency",
            "metrics.enabled (INTEGRITY_METRICS_ENABLED)",
            "notfy",
            "state.sqlite_path",
            "audiences.security",
        ]

    @pytest.mark.parametrize(
        ("table", "line", "said"),
        [
            ("service", "jitter = 120", "service.jitter: expected text in quotes, not 120"),
            ("service", 'jitter = "2 h"', "service.jitter: '2 h' is no span of time: expected a"),
            ("service", 'jitter = "2d"', "service.jitter: expected at most 1 hour, not 2d"),
            ("service", 'overlap = "30m"', "service.overlap: expected at least 1 hour, not 30m"),
            ("service", "concurrency = true", "concurrency: expected a whole number, not true"),
            ("service", "concurrency = 1.5", "concurrency: expected a whole number, not 1.5"),
            ("service", "concurrency = 9999", "concurrency: expected at most 1024, not 9999"),
            ("service", 'log_level = "loud"', "'warning' or 'error', not 'loud'"),
            ("service", 'schedule = "hourly"', "service.schedule: 'hourly' is no schedule: exp"),
            ("service", 'schedule = "61 * * * *"', "higher than the maximum value (59)"),
            ("service", 'schedule = "0 0 * * 1"', "weekdays by name (mon-fri)"),
            ("service", 'schedule = "0 0 31 2 *"', "this one never comes"),
            ("records", 'place = "gs://b"', "records.place: 'gs://b' is no place: expected a fo"),
            ("records", 'place = "s3://B"', "records.place: 's3://B' is no place"),
            ("records", 'place = ""', "records.place: '' is no place"),
            ("records", 'same_bucket = "yes"', "same_bucket: expected true or false, not 'yes'"),
            ("records", "same_bucket = []", "same_bucket: expected true or false, not a list"),
            ("records", 'kms_key_id = "alias/k"', "records.kms_key_id: it is about records in S3"),
            ("metrics", 'namespace = "AWS/S3"', "metrics.namespace: 'AWS/S3' is no namespace"),
            ("metrics", 'region = "us"', "metrics.region: 'us' is no region"),
            ("state", 'dynamodb_table = "x y"', "'x y' is no DynamoDB table"),
            ("policy", "head_ticks = 0", "policy.head_ticks: expected at least 1, not 0"),
            ("policy", 'jitter = "1h"', "not a key of [policy]; did you mean service.jitter?"),
            ("policy", "zzz = 1", "policy.zzz: it is not a key of [policy]; there are head_ticks,"),
            ("policy", '"a\\nb" = 1', 'policy."a\\nb": it is not a key'),
            ("polcy", "", "polcy: it is not a key or table; did you mean policy?"),
        ],
    )
    def test_a_value_that_is_none(self, table: str, line: str, said: str) -> None:
        assert said in only_mistake(f"{TRAIL}{TOLD}[{table}]\n{line}\n")

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('slack_webhook_url = "hush"', "security.slack_webhook_url: it is no URL: expected h"),
            ('slack_webhook_url = "http://a.b/hush"', "it is not protected by TLS: expected http"),
            ("slack_webhook_url = 5", "slack_webhook_url: expected text in quotes (what stood"),
            ('slack_webhook_url = ["hush"]', "slack_webhook_url: expected text in quotes (what"),
            ('webhooks = ["hush"]', "webhooks[0]: expected a table (what stood there is not show"),
            ('webhooks = "hush"', "array of tables, each under [[audiences.security.webhooks]] (w"),
            ('webhooks = [{url = "https://a.b/", secret = "hush"}]', "[0].secret: expected 32 to"),
            ('webhooks = [{url = "https://a.b/hush"}]', "webhooks[0].secret: it is missing: Sha"),
            ('webhooks = [{name = "hush"}]', "webhooks[0].name: it is not a key of [audiences.s"),
            ('eventbridge_bus_arns = ["alarms"]', "'alarms' is no event bus: expected its ARN"),
            ('ses_from = "a@example.com"', "security.ses_from: there is no ses_to that e-mail"),
            ('ses_region = "us-east-1"', "security.ses_region: there is no ses_to that e-mail"),
            ('ses_to = ["a@example.com"]', "security.ses_to: there is no ses_from that the"),
            ('ses_to = ["A <a@example.com>"]', "'A <a@example.com>' is no e-mail address: exp"),
            ('ses_configuration_set = "a b"', "'a b' is no configuration set of SES: expected"),
            ('dynamodb_tables = ["a/b"]', "'a/b' is no DynamoDB table: expected its name"),
            ('firehose_stream_arns = ["logins"]', "'logins' is no ARN of a Firehose stream: exp"),
            ('s3 = [{bucket = "archive"}]', "security.s3[0].kms_key_id: it is missing: KMS key"),
            ('s3 = [{time_zone = "Tokyo"}]', "'Tokyo' is no time zone: expected its name, such"),
            ('s3 = [{time_zone = "../../etc/passwd"}]', "is no time zone: expected its name, such"),
            ('s3 = [{prefix = "/a"}]', "'/a' is no folder in a bucket: expected nothing, or na"),
            ('s3 = [{bucket = ["hush"]}]', "security.s3[0].bucket: expected text"),
        ],
    )
    def test_a_destination_that_is_none(self, line: str, said: str) -> None:
        told = mistakes(f"{TRAIL}[audiences.security]\n{line}\n")
        assert any(said in mistake for mistake in told), told
        assert "hush" not in "".join(told)

    def test_more_recipients_than_ses_takes(self) -> None:
        many = ", ".join(f'"a{number}@example.com"' for number in range(51))
        text = f'{TRAIL}[audiences.security]\nses_from = "a@example.com"\nses_to = [{many}]\n'
        assert only_mistake(text).endswith(
            "ses_to: expected at most 50 recipients, not 51: use a mailing list"
        )

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('s3_bucket = "s3://b"', "trails[0].s3_bucket: 's3://b' is no bucket"),
            ('role_arn = "arn:aws:iam::111122223333:user/x"', "is no ARN of a role: expected arn"),
            ('session_name = "a b"', "'a b' is no name of a session"),
            ('account_ids = ["1", "111122223333"]', "trails[0].account_ids[0]: '1' is no account"),
            ('account_ids = "111122223333"', "expected a list in brackets, not '111122223333'"),
            ("account_ids = [5]", "trails[0].account_ids[0]: expected text in quotes, not 5"),
            ('source_regions = ["x"]', "trails[0].source_regions[0]: 'x' is no region"),
            ('ignore = ["us-east-1"]', "trails[0].ignore[0]: 'us-east-1' is no account or account"),
            ('organization_id = "o-1"', "'o-1' is no organization id"),
            ("retention_days = 0", "trails[0].retention_days: expected at least 1, not 0"),
            ('external_id = "secret"', "trails[0].external_id: there is no role_arn that it"),
            ('bucket_external_id = "secret"', "there is no bucket_role_arn that it"),
            ('keys_external_id = "secret"', "there is no keys_role_arn that it"),
        ],
    )
    def test_a_trail_that_is_none(self, line: str, said: str) -> None:
        assert said in only_mistake(f"{TRAIL}{line}\n{TOLD}")

    def test_a_trail_goes_by_its_arn_and_only_once(self) -> None:
        assert "by its name alone" in only_mistake(f'[[trails]]\ntrail_arn = "main"\n{TOLD}')
        assert only_mistake(TRAIL + TRAIL + TOLD).startswith(
            "trails[1].trail_arn: trails[0] is this trail already"
        )

    @pytest.mark.parametrize("text", ["", "trails = []\n"])
    def test_without_a_trail_there_is_nothing_to_watch(self, text: str) -> None:
        assert "expected at least one [[trails]] table" in only_mistake(text + TOLD)

    def test_one_trail_is_an_array_of_tables_too(self) -> None:
        said = only_mistake(f'[trails]\ntrail_arn = "{ARN}"\n{TOLD}')
        assert said == "trails: expected an array of tables, each under [[trails]], not a table"

    def test_a_table_is_a_table(self) -> None:
        assert only_mistake(f"service = 5\n{TRAIL}{TOLD}") == "service: expected a table, not 5"

    def test_keys_come_from_one_place(self) -> None:
        more = 'keys_file = "k"\nkeys_role_arn = "arn:aws:iam::111122223333:role/r"\n'
        assert only_mistake(TRAIL + more + TOLD).startswith("trails[0].keys_file: keys_role_arn")

    @pytest.mark.parametrize(
        ("topic", "ok"), [(TOPIC, True), (f"{TOPIC}.fifo", False), (ARN, False), ("x", False)]
    )
    def test_topics_are_standard_ones(self, topic: str, ok: bool) -> None:  # noqa: FBT001
        text = f'{TRAIL}[audiences.security]\nsns_topic_arns = ["{topic}"]\n'
        if ok:
            assert parse_config(text, {}).audiences.security.sns_topic_arns == (topic,)
        else:
            assert "is no ARN of a standard SNS topic" in only_mistake(text)

    def test_to_be_silent_and_to_tell_contradict_each_other(self) -> None:
        said = only_mistake(f'notify = "none"\n{TRAIL}{TOLD}')
        assert said == "notify: audiences.security has a destination: leave one of them out"

    def test_records_do_not_lie_in_an_audited_bucket_unless_that_is_said(self) -> None:
        text = f'{TRAIL}s3_bucket = "logs"\n{TOLD}[records]\nplace = "s3://logs/records/"\n'
        assert only_mistake(text).startswith("records.place: logs is audited itself")
        config = parse_config(text + "same_bucket = true\n", {})
        assert config.records.place == "s3://logs/records"

    def test_messages_do_not_lie_in_an_audited_bucket(self) -> None:
        place = '[[audiences.security.s3]]\nbucket = "logs"\nkms_key_id = "alias/logs"\n'
        assert only_mistake(f'{TRAIL}s3_bucket = "logs"\n{place}').startswith(
            "audiences.security.s3[0].bucket: logs is audited itself"
        )
        assert parse_config(f'{TRAIL}s3_bucket = "others"\n{place}', {}).audiences.security.s3

    def test_what_is_no_toml_is_told_with_its_line(self) -> None:
        said = only_mistake("notify = none\n")
        assert said.startswith("the text is not TOML: Invalid value (at line 1")

    def test_a_text_without_end_of_depth_is_no_toml(self) -> None:
        assert only_mistake("a = " + "[" * 100_000).startswith("the text is not TOML")

    def test_a_long_value_is_cut(self) -> None:
        assert len(only_mistake(f'{TRAIL}s3_bucket = "{"-" * 5000}/"\n{TOLD}')) < 400
        assert len(only_mistake(f'{TRAIL}{TOLD}[metrics]\nenabled = "{"x" * 5000}"\n')) < 400


class TestSecrets:
    ROLE = 'role_arn = "arn:aws:iam::111122223333:role/r"\n'

    def test_they_are_shown_nowhere(self) -> None:
        config = parse_config(f'{TRAIL}{self.ROLE}external_id = "hush-hush"\n{TOLD}', {})
        secret = config.trails[0].external_id
        assert secret is not None
        assert secret.get_secret_value() == "hush-hush"
        assert "hush-hush" not in f"{config!r} {config} {config.model_dump_json()}"

    @pytest.mark.parametrize(
        "line",
        [
            'external_id = "hush hush"',
            'external_id = ["hush hush"]',
            'external_idd = "hush hush"',
            'exernal_id = {a = "hush hush"}',
        ],
    )
    def test_a_mistake_does_not_echo_them(self, line: str) -> None:
        with pytest.raises(UsageError) as refused:
            parse_config(f"{TRAIL}{self.ROLE}{line}\n{TOLD}", {})
        assert "hush" not in str(refused.value)

    def test_a_variable_that_is_none_is_not_echoed(self) -> None:
        said = only_mistake(TRAIL + TOLD, {"INTEGRITY_TRAILS_0_EXTERNL_ID": "hush"})
        assert "hush" not in said
        assert "did you mean INTEGRITY_TRAILS_N_EXTERNAL_ID?" in said

    def test_the_hash_does_not_depend_on_them_but_on_their_being_there(self) -> None:
        def sha256(line: str) -> str:
            return parse_config(f"{TRAIL}{self.ROLE}{line}\n{TOLD}", {}).sha256

        one, other = sha256('external_id = "one"'), sha256('external_id = "another"')
        assert one == other != sha256("")


class TestHash:
    def test_it_is_of_what_is_in_force_however_it_was_said(self) -> None:
        plain = parse_config(TRAIL + TOLD, {})
        said = parse_config(f'{TOLD}{TRAIL}grace = "60m"\n[service]\noverlap = "6h"\n', {})
        by_variable = parse_config(TRAIL + TOLD, {"INTEGRITY_SERVICE_JITTER": "2m"})
        assert plain.sha256 == said.sha256 == by_variable.sha256
        assert len(plain.sha256) == 64

    def test_any_other_value_is_another_hash(self) -> None:
        plain = parse_config(TRAIL + TOLD, {}).sha256
        other = parse_config(TRAIL + TOLD, {"INTEGRITY_SERVICE_JITTER": "3m"}).sha256
        assert plain != other


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.datetimes()
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(st.sampled_from(list(all_keys().values())), st.integers(1, 4), VALUES)
def test_whatever_stands_there_is_a_value_or_a_mistake(key: Key, depth: int, value: Any) -> None:
    """At a key, or in place of one of its tables; TOML could say no more than this."""
    for part in reversed(key.path[:depth]):
        value = [value] if part == "*" else {part: value}
    told: tuple[str, ...] | None = None
    with patch("integrity.config.parse.tomllib.loads", return_value=value):
        try:
            parse_config("", {"INTEGRITY_SERVICE_JITTER": "1m"})
        except ConfigError as refused:
            told = refused.mistakes
    assert told != ()


def test_each_key_has_one_variable_and_a_meaning() -> None:
    keys = list(all_keys().values())
    assert len({key.variable for key in keys}) == len(keys) > 30
    assert [key.path for key in keys if not key.description] == []
    assert {key.kind for key in keys} == set(Kind)
