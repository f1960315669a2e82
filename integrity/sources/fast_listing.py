"""Pages of a bucket's listings, for a third of botocore's CPU time: an organization has thousands.

The same request is signed by botocore's own signer and sent over a pool of its own kind; left out
is what it does around that for any service. As with objects (`integrity.sources.fast_bucket`) only
a whole page is believed. Every other answer is a `Failure` here, and botocore is asked again, whose
answer decides. Where that keeps being so, this is left alone from then on.
(AWS: API_ListObjectsV2.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from integrity.aws.economy import read_time
from integrity.aws.refusal import REFUSALS
from integrity.aws.session import Aws
from integrity.sources.fast_bucket import bucket_url
from integrity.sources.fast_get import Failure

Page = dict[str, Any]

_SLOW_DOWN = (429, 503)
_MOST_FAILURES_IN_A_ROW = 16
_ASKED_AS = {
    "Prefix": "prefix",
    "Delimiter": "delimiter",
    "ContinuationToken": "continuation-token",
}
_READ: dict[str, Callable[[str], Any]] = {
    "Key": str,
    "LastModified": read_time,
    "ETag": str,
    "Size": int,
    "StorageClass": str,
}


class FastListing:
    """One bucket's pages, for many threads at once."""

    def __init__(self, aws: Aws, client: Any, url: str) -> None:
        self._session, self._url = aws.session, url
        self._region, self._agent = client.meta.region_name, client.meta.config.user_agent
        recipe = aws.recipe
        settings: dict[str, Any] = {
            "verify": aws.ca_bundle or True,
            "proxies": get_environ_proxies(url),
            "timeout": (recipe.connect_timeout, recipe.read_timeout),
            "max_pool_connections": recipe.max_connections,
        }
        self._http = URLLib3Session(**settings)
        self._failures_in_a_row = 0

    @classmethod
    def open(cls, aws: Aws, client: Any, bucket: str) -> FastListing:
        """At the endpoint that botocore's own `client` would use, that of the bucket's region."""
        return cls(aws, client, bucket_url(client, bucket))

    @property
    def is_worth_asking(self) -> bool:
        """False once botocore has listed again and again what this could not."""
        return self._failures_in_a_row < _MOST_FAILURES_IN_A_ROW

    def note_failure(self) -> None:
        """botocore could list what this could not."""
        self._failures_in_a_row += 1

    def page(self, asked: dict[str, Any]) -> Page | Failure:
        """The page that botocore's client gives for the same question, as far as it is read."""
        try:
            answer = self._http.send(self._signed(asked))
        except REFUSALS:
            return Failure.OTHER
        if answer.status_code in _SLOW_DOWN:
            return Failure.SLOW_DOWN
        page = _read_page(answer.content) if answer.status_code == 200 else None
        if page is None:
            return Failure.OTHER
        self._failures_in_a_row = 0
        return page

    def _signed(self, asked: dict[str, Any]) -> Any:
        params = {"list-type": "2", "encoding-type": "url"}
        params |= {_ASKED_AS[name]: said for name, said in asked.items() if name in _ASKED_AS}
        headers = {"User-Agent": self._agent}
        if "OptionalObjectAttributes" in asked:
            headers["x-amz-optional-object-attributes"] = ",".join(
                asked["OptionalObjectAttributes"]
            )
        if "ExpectedBucketOwner" in asked:
            headers["x-amz-expected-bucket-owner"] = asked["ExpectedBucketOwner"]
        request = AWSRequest("GET", self._url, headers=headers, params=params)
        S3SigV4Auth(self._credentials(), "s3", self._region).add_auth(request)
        return request.prepare()

    def _credentials(self) -> Any:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return credentials.get_frozen_credentials()


def _read_page(body: bytes) -> Page | None:
    """None where it is no whole page."""
    try:
        answer = ElementTree.fromstring(body)  # noqa: S314 - as botocore does
        if _name(answer) != "ListBucketResult":
            return None
        page: Page = {"Contents": [], "CommonPrefixes": []}
        for node in answer:
            name = _name(node)
            if name == "Contents":
                page["Contents"].append(_object(node))
            elif name == "CommonPrefixes":
                page["CommonPrefixes"] += [{"Prefix": one.text or ""} for one in node]
            else:
                page[name] = node.text or ""
        page["IsTruncated"] = {"true": True, "false": False}[page["IsTruncated"]]
        if page.get("EncodingType") == "url":
            for one in page["Contents"]:
                one["Key"] = unquote_plus(one["Key"])
            for one in page["CommonPrefixes"]:
                one["Prefix"] = unquote_plus(one["Prefix"])
    except (ElementTree.ParseError, ValueError, KeyError):
        return None
    return page


def _object(node: ElementTree.Element) -> dict[str, Any]:
    """What is asked about an object of a listing, as botocore has it."""
    said: dict[str, Any] = {}
    for child in node:
        name = _name(child)
        if name in _READ:
            said[name] = _READ[name](child.text or "")
        elif name == "RestoreStatus":
            said[name] = {_name(part): part.text for part in child}
    return said


def _name(node: ElementTree.Element) -> str:
    """Without its namespace, which some that speak S3 leave out."""
    return node.tag.rpartition("}")[2]
