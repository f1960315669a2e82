"""The hot path: GETs of one bucket through libcurl, for a twentieth of botocore's CPU time.

libcurl is only ever believed when it succeeds: what S3's refusals mean is botocore's to say. Every
other answer is a `Failure` here, and what does not pass is asked again through botocore
(`integrity.sources.s3`), whose answer decides. No refusal is repeated here: a retry that nobody
sees would hide that S3 asks to slow down. Where libcurl keeps failing on what botocore can read, a
proxy that it cannot pass for instance, it is left alone from then on.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import pycurl

from integrity.aws.session import Aws
from integrity.chain.model import Fetched, S3Location
from integrity.sources.fast_get import Door, Failure, Get
from integrity.sources.throttle import Pace
from integrity.sources.transfer import Buffer

T = TypeVar("T")

_MOST_FAILURES_IN_A_ROW = 16
_LASTING = (Failure.TOO_LARGE, Failure.OTHER)
_METADATA = "x-amz-meta-"
_PLAIN = re.compile("[A-Za-z0-9/_.~-]*")
_DOTS = frozenset({".", ".."})


def is_addressable(key: str) -> bool:
    """Whether libcurl asks for this very key: it resolves dots as parts of a path."""
    return "./" not in f"{key}/" or _DOTS.isdisjoint(key.split("/"))


class FastBucket:
    """One bucket as libcurl reads it. Thread-safe."""

    def __init__(self, door: Door, bucket: str) -> None:
        self._door, self._bucket = door, bucket
        self._idle: deque[Get] = deque()
        self._refused: dict[str, Failure] = {}
        self._failures_in_a_row = 0

    @classmethod
    def open(
        cls, aws: Aws, client: Any, bucket: str, expected_bucket_owner: str | None
    ) -> FastBucket:
        """The bucket at the endpoint that botocore's own `client` would use.

        `client` is the S3 client of the bucket's own region. Raises what botocore raises where
        there are no credentials.
        """
        url, region = bucket_url(client, bucket), client.meta.region_name
        door = Door(aws, aws.session, url, region, expected_bucket_owner)
        door.credentials()
        return cls(door, bucket)

    @property
    def is_worth_asking(self) -> bool:
        """False once libcurl has failed again and again on what botocore could read."""
        return self._failures_in_a_row < _MOST_FAILURES_IN_A_ROW

    def note_failure(self) -> None:
        """botocore could read what libcurl could not."""
        self._failures_in_a_row += 1

    def may_give(self, key: str) -> bool:
        """Whether it makes sense to ask for an object."""
        return self.is_worth_asking and is_addressable(key)

    def note_refusal(self, key: str, failure: Failure) -> None:
        """What one who fetches many got; whoever then fetches this one need not ask as well."""
        if failure in _LASTING:
            self._refused[key] = failure

    def fetch(
        self, key: str, read: Callable[[Iterable[Buffer]], T], pace: Pace
    ) -> Fetched[T] | Failure:
        """The object, or what anything but a whole success is worth."""
        refused = self._refused.pop(key, None)
        if refused is not None:
            return refused
        try:
            get = self._idle.pop()
        except IndexError:
            get = self.handle(with_metadata=True)
        error = 0
        with pace.request() as request:
            if not self.begin(get, key):
                return Failure.OTHER
            try:
                get.curl.perform()
            except pycurl.error as broken:
                error = broken.args[0]
            got = self.end(get, S3Location(self._bucket, key), error)
            request.slow_down = got is Failure.SLOW_DOWN
        self._idle.append(get)
        if isinstance(got, Failure):
            return got
        # The next request need not wait for this one's bytes to be hashed.
        return got.read_as(read((got.content,)))

    def handle(self, *, with_metadata: bool) -> Get:
        """A handle to begin and end requests with."""
        return self._door.handle(with_headers=with_metadata)

    def begin(self, get: Get, key: str) -> bool:
        """Ask for an object. False where there are no credentials."""
        return get.begin("/" + (key if _PLAIN.fullmatch(key) else quote(key, safe="/~")))

    def end(self, get: Get, location: S3Location, error: int) -> Fetched[bytes] | Failure:
        """What came of it. `error` is libcurl's."""
        got = get.end(error)
        if isinstance(got, Failure):
            return got
        self._failures_in_a_row = 0
        return Fetched(
            location,
            got.body,
            _metadata(got.headers),
            got.last_modified,
            got.headers.get("x-amz-version-id"),
            len(got.body),
        )


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_METADATA): text
        for name, text in headers.items()
        if name.startswith(_METADATA)
    }


def bucket_url(client: Any, bucket: str) -> str:
    """The bucket's URL, as part of the host or of the path, without a slash at its end.

    Which of the two styles it is, botocore decides; a URL that it signs shows it. That URL may name
    the global endpoint, so the host is taken from the client's own, regional one.
    """
    own = urlsplit(client.meta.endpoint_url)
    asked = {"Bucket": bucket, "Key": "key"}
    shown = urlsplit(client.generate_presigned_url("get_object", Params=asked))
    if shown.netloc.startswith(f"{bucket}."):
        return f"{own.scheme}://{bucket}.{own.netloc}{own.path}".rstrip("/")
    return f"{own.scheme}://{own.netloc}{own.path}".rstrip("/") + f"/{bucket}"
