"""The hot path: which keys it may be asked for, and where it asks."""

from __future__ import annotations

import pytest

from integrity.aws.session import AwsRecipe
from integrity.sources.fast_bucket import bucket_url, is_addressable


def test_keys_that_libcurl_would_alter_are_told_apart() -> None:
    plain = (
        "a",
        "a/b.json.gz",
        "..a/b..",
        "...",
        "a./b",
        "a.../b",
        "/",
        "a/",
        "/a",
        "a//b",
        "a\nb",
    )
    odd = (".", "..", "a/./b", "a/../b", "a/..", "a/.", "./a", "../a", "//.", "a./../b")
    assert [key for key in plain if not is_addressable(key)] == []
    assert [key for key in odd if is_addressable(key)] == []


class TestEndpoint:
    """libcurl asks where botocore would: in every partition, FIPS, dual-stack, either style."""

    @pytest.mark.parametrize(
        ("region", "bucket", "settings", "url"),
        [
            ("us-east-1", "logs", {}, "https://logs.s3.amazonaws.com"),
            ("eu-west-1", "logs", {}, "https://logs.s3.eu-west-1.amazonaws.com"),
            ("eu-west-1", "a.b", {}, "https://s3.eu-west-1.amazonaws.com/a.b"),
            ("eu-west-1", "Old_Logs", {}, "https://s3.eu-west-1.amazonaws.com/Old_Logs"),
            ("cn-north-1", "logs", {}, "https://logs.s3.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "logs", {}, "https://logs.s3.us-gov-west-1.amazonaws.com"),
            ("eusc-de-east-1", "logs", {}, "https://logs.s3.eusc-de-east-1.amazonaws.eu"),
            (
                "us-gov-west-1",
                "logs",
                {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
                "https://logs.s3-fips.dualstack.us-gov-west-1.amazonaws.com",
            ),
            (
                "eu-west-1",
                "logs",
                {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
                "https://logs.s3.dualstack.eu-west-1.amazonaws.com",
            ),
            ("eu-west-1", "logs", {"AWS_ENDPOINT_URL": "http://box:1/"}, "http://box:1/logs"),
            ("eu-west-1", "logs", {"AWS_ENDPOINT_URL_S3": "https://box/s3"}, "https://box/s3/logs"),
            (
                "eu-west-1",
                "logs",
                {"AWS_ENDPOINT_URL": "http://box", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
                "https://logs.s3.eu-west-1.amazonaws.com",
            ),
        ],
    )
    def test_it_is_botocores(
        self,
        monkeypatch: pytest.MonkeyPatch,
        region: str,
        bucket: str,
        settings: dict[str, str],
        url: str,
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        client = AwsRecipe(region=region).open().client("s3")
        assert bucket_url(client, bucket) == url
