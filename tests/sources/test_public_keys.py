"""Public keys from AWS: whatever is asked, the answer is keys or a reason why there are none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrity.aws.session import Aws, AwsRecipe
from integrity.chain.model import KeysUnavailable, PublicKey, TimeWindow
from integrity.errors import UsageError
from integrity.lab.faults import Fault
from integrity.lab.server import LabServer
from integrity.lab.world import World
from integrity.sources.key_file import KeyFile
from integrity.sources.public_keys import FirstOf, LivePublicKeys, keys_of
from integrity.verify.ports import KeySource
from tests.lab_aws import NOW
from tests.sources.wire import Answer, Asked, wire

REGION = "eu-west-1"
DAY = TimeWindow(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def rotated(world: World) -> World:
    """Three keys of the region, two of them valid in the window."""
    world.ring(REGION).signer(DAY.start)
    world.rotate_key(REGION, at=DAY.start + timedelta(hours=5))
    world.rotate_key(REGION, at=DAY.end + timedelta(hours=5))
    return world


@pytest.fixture
def live(aws: Aws, rotated: World) -> LivePublicKeys:
    assert len(rotated.public_keys(REGION)) == 3
    return LivePublicKeys(aws, NOW)


def key(fingerprint: str, origin: str, region: str = REGION) -> PublicKey:
    return PublicKey(region, fingerprint, b"0der", DAY.start, DAY.end, NOW, origin)


class Known:
    """A source that answers the same to everything."""

    def __init__(self, *keys: PublicKey, refusal: str = "") -> None:
        self.answer = KeysUnavailable(REGION, refusal) if refusal else keys

    def fetch_keys(
        self, region: str, window: TimeWindow
    ) -> tuple[PublicKey, ...] | KeysUnavailable:
        assert (region, window) == (REGION, DAY)
        return self.answer


def test_all_of_them_are_what_verification_needs(live: LivePublicKeys) -> None:
    sources: list[KeySource] = [live, FirstOf(live), KeyFile("keys.json", [])]
    assert len(sources) == 3


class TestLive:
    def test_lists_the_keys_of_the_window_in_their_region(
        self, live: LivePublicKeys, rotated: World, lab: LabServer
    ) -> None:
        first, second, _ = rotated.public_keys(REGION)
        assert live.fetch_keys(REGION, DAY) == tuple(
            PublicKey(
                REGION,
                one.fingerprint,
                one.der,
                one.not_before,
                one.not_after,
                NOW,
                "ListPublicKeys",
            )
            for one in (first, second)
        )
        assert lab.requests.by_region == {("ListPublicKeys", REGION): 1}

    def test_times_are_utc(self, live: LivePublicKeys) -> None:
        keys = live.fetch_keys(REGION, DAY)
        assert isinstance(keys, tuple)
        assert {one.not_before.tzinfo for one in keys} == {UTC}

    def test_takes_every_page(self, live: LivePublicKeys, lab: LabServer) -> None:
        whole = live.fetch_keys(REGION, DAY)
        lab.cloudtrail.page_size = 1
        assert live.fetch_keys(REGION, DAY) == whole
        assert lab.requests.by_operation["ListPublicKeys"] == 3

    def test_a_range_that_is_refused_is_asked_again_to_the_present(
        self, live: LivePublicKeys, rotated: World, lab: LabServer
    ) -> None:
        lab.cloudtrail.future_limit = timedelta(0)
        until_tomorrow = TimeWindow(DAY.start, NOW + timedelta(days=1))
        keys = live.fetch_keys(REGION, until_tomorrow)
        assert isinstance(keys, tuple)
        assert len(keys) == len(rotated.public_keys(REGION))
        assert lab.requests.by_operation["ListPublicKeys"] == 2

    def test_a_range_that_is_refused_to_the_present_too_has_no_keys(
        self, live: LivePublicKeys, lab: LabServer
    ) -> None:
        lab.cloudtrail.future_limit = timedelta(days=-365)
        unavailable = live.fetch_keys(REGION, DAY)
        assert isinstance(unavailable, KeysUnavailable)
        assert "InvalidTimeRangeException" in unavailable.detail

    def test_a_range_of_the_future_is_not_asked_backwards(
        self, live: LivePublicKeys, lab: LabServer
    ) -> None:
        lab.cloudtrail.future_limit = timedelta(0)
        tomorrow = TimeWindow(NOW + timedelta(days=1), NOW + timedelta(days=2))
        assert isinstance(live.fetch_keys(REGION, tomorrow), KeysUnavailable)
        assert lab.requests.by_operation["ListPublicKeys"] == 1

    @pytest.mark.parametrize(
        ("action", "said"),
        [
            ("deny", "cloudtrail:ListPublicKeys in region eu-west-1 is not allowed"),
            ("throttle", "AWS throttled cloudtrail:ListPublicKeys"),
            ("error", "AWS failed to answer cloudtrail:ListPublicKeys"),
            ("reset", "no answer to cloudtrail:ListPublicKeys"),
        ],
    )
    def test_refused_says_why_and_what_would_help(
        self, lab: LabServer, action: str, said: str
    ) -> None:
        live = LivePublicKeys(AwsRecipe(attempts=1).open(), NOW)
        lab.faults.append(Fault(action))  # type: ignore[arg-type]
        unavailable = live.fetch_keys(REGION, DAY)
        assert isinstance(unavailable, KeysUnavailable)
        assert unavailable.region == REGION
        assert said in unavailable.detail
        assert "--keys FILE" in unavailable.detail

    def test_throttled_for_a_while_is_answered(self, live: LivePublicKeys, lab: LabServer) -> None:
        lab.faults.append(Fault("throttle", operation="ListPublicKeys", last=1))
        assert isinstance(live.fetch_keys(REGION, DAY), tuple)

    def test_a_region_that_is_not_enabled_says_so(
        self, live: LivePublicKeys, rotated: World, lab: LabServer
    ) -> None:
        rotated.regions[REGION] = "not-opted-in"
        unavailable = live.fetch_keys(REGION, DAY)
        assert isinstance(unavailable, KeysUnavailable)
        assert "the region is not enabled for this account" in unavailable.detail
        assert lab.requests.total == 1

    @pytest.mark.parametrize("region", ["", "eu-west-1.evil.example", "eu west 1", "EU-WEST-1"])
    def test_what_is_no_region_is_asked_nowhere(
        self, live: LivePublicKeys, lab: LabServer, region: str
    ) -> None:
        unavailable = live.fetch_keys(region, DAY)
        assert unavailable == KeysUnavailable(region, f"{region!r} is not a region's name")
        assert lab.requests.total == 0

    def test_an_endpoint_that_is_no_url_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        unavailable = LivePublicKeys(AwsRecipe().open(), NOW).fetch_keys(REGION, DAY)
        assert isinstance(unavailable, KeysUnavailable)
        assert "AWS_ENDPOINT_URL" in unavailable.detail

    @pytest.mark.parametrize(("token", "calls"), [("same", 2), ("", 100)])
    def test_a_listing_comes_to_an_end(
        self, monkeypatch: pytest.MonkeyPatch, token: str, calls: int
    ) -> None:
        def script(_: Asked) -> Answer:
            answer = {"PublicKeyList": [], "NextToken": token or str(len(server.asked))}
            return Answer(200, json.dumps(answer).encode())

        with wire(script) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", server.endpoint)
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            answer = LivePublicKeys(AwsRecipe().open(), NOW).fetch_keys(REGION, DAY)
        assert len(server.asked) - calls in (0, 1)
        if token:
            assert answer == ()
        else:
            assert isinstance(answer, KeysUnavailable)
            assert "no end of them" in answer.detail


class TestProfile:
    def test_another_profile_answers_under_its_name(
        self, lab: LabServer, rotated: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        config = tmp_path / "config"
        config.write_text(
            "[profile audit]\nregion = us-east-1\n"
            "aws_access_key_id = AKIALABX999900001111\naws_secret_access_key = lab\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        keys = keys_of(AwsRecipe(profile="audit"), NOW).fetch_keys(REGION, DAY)
        assert isinstance(keys, tuple)
        assert {one.origin for one in keys} == {"profile audit"}
        assert [one.der for one in keys] == [one.der for one in rotated.public_keys(REGION)[:2]]
        assert lab.requests.total == 1

    def test_a_profile_that_is_not_there_is_a_fault_of_the_command(self) -> None:
        with pytest.raises(UsageError, match="nobody"):
            keys_of(AwsRecipe(profile="nobody"), NOW)


class TestFirstOf:
    def test_the_first_ones_word_counts(self) -> None:
        sources = FirstOf(Known(key("a", "one")), Known(key("a", "two")))
        assert sources.fetch_keys(REGION, DAY) == (key("a", "one"),)

    def test_a_later_one_adds_what_is_missing(self) -> None:
        sources = FirstOf(Known(key("a", "one")), Known(key("a", "two"), key("b", "two")))
        assert sources.fetch_keys(REGION, DAY) == (key("a", "one"), key("b", "two"))

    def test_one_that_answers_is_enough(self) -> None:
        sources = FirstOf(Known(refusal="denied"), Known(key("b", "two")))
        assert sources.fetch_keys(REGION, DAY) == (key("b", "two"),)
        sources = FirstOf(Known(key("a", "one")), Known(refusal="no key"))
        assert sources.fetch_keys(REGION, DAY) == (key("a", "one"),)

    def test_where_nobody_answers_everybodys_reason_is_told(self) -> None:
        sources = FirstOf(Known(refusal="denied"), Known(refusal="no key"))
        assert sources.fetch_keys(REGION, DAY) == KeysUnavailable(REGION, "denied; no key")
