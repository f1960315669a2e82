"""The hot path: GETs of one bucket through obstore, for a twentieth of botocore's CPU time.

obstore is only ever believed when it succeeds: it tells no error codes, no regions and no headers.
Every other answer is a `Failure` here, and what does not pass, like every key that it cannot
address, is asked again through botocore (`integrity.sources.s3`), whose answer decides. It repeats
nothing itself: a retry that nobody sees would hide that S3 asks to slow down. Where obstore keeps
failing on what botocore can read, a proxy that it cannot pass for instance, it is left alone from
then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import obstore
from botocore.exceptions import NoCredentialsError
from obstore.exceptions import BaseError
from obstore.store import S3Store

from integrity.aws.session import Aws
from integrity.chain.model import Fetched, S3Location
from integrity.sources.throttle import Pace
from integrity.sources.transfer import BrokenTransferError, Buffer, whole

if TYPE_CHECKING:
    import botocore.session
    from obstore import Attributes, ObjectMeta
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

T = TypeVar("T")

WHOLE_BODY_BYTES = 2 * 1024 * 1024
"""Objects up to this stored size are handed over in one piece; larger ones are streamed.

All that are read at a time may be that large.
"""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ODD_PARTS = frozenset({"", ".", ".."})
_STREAM_PIECE_BYTES = 1024 * 1024
_FAILURES = (BaseError, OSError, ValueError)
_MOST_FAILURES_IN_A_ROW = 16
# botocore refreshes credentials 15 minutes before they end, so these are always good for 5.
_CREDENTIALS_LIFE = timedelta(minutes=5)
_MOMENT = timedelta(milliseconds=1)
_STATUS = re.compile(r"status code: ([0-9]{3})")
_LONGEST_MESSAGE = 2000


class Failure(Enum):
    """What obstore's failure is worth asking again: itself, after a while, or botocore at once."""

    SLOW_DOWN = "slow down"
    PASSING = "passing"
    OTHER = "other"


def is_addressable(key: str) -> bool:
    """Whether obstore asks for this very key: it drops outer slashes and refuses odd parts."""
    return _CONTROL.search(key) is None and _ODD_PARTS.isdisjoint(key.split("/"))


class FastBucket:
    """One bucket as obstore reads it. Thread-safe; never to be used across a fork."""

    def __init__(self, store: S3Store, bucket: str) -> None:
        self._store = store
        self._bucket = bucket
        self._failures_in_a_row = 0

    @classmethod
    def open(
        cls, aws: Aws, client: Any, bucket: str, expected_bucket_owner: str | None
    ) -> FastBucket | None:
        """The bucket at the endpoint that botocore's own `client` would use, if obstore can.

        `client` is the S3 client of the bucket's own region.
        """
        endpoint, virtual_hosted = bucket_endpoint(client, bucket)
        config: S3Config = {
            "bucket": bucket,
            "region": client.meta.region_name,
            # Both, because obstore reads AWS_ENDPOINT_URL_S3 itself and lets it win.
            "endpoint": endpoint,
            "aws_endpoint_url_s3": endpoint,
            "virtual_hosted_style_request": virtual_hosted,
            "skip_signature": False,
        }
        recipe = aws.recipe
        options: ClientConfig = {
            "allow_http": endpoint.startswith("http://"),
            "allow_invalid_certificates": False,
            "connect_timeout": timedelta(seconds=recipe.connect_timeout),
            "read_timeout": timedelta(seconds=recipe.read_timeout),
            "timeout": timedelta(seconds=recipe.transfer_timeout),
            "pool_max_idle_per_host": str(recipe.max_connections),
        }
        if expected_bucket_owner is not None:
            options["default_headers"] = {"x-amz-expected-bucket-owner": expected_bucket_owner}
        retry: RetryConfig = {
            "max_retries": 0,
            "retry_timeout": _MOMENT,
            "backoff": {"init_backoff": _MOMENT, "max_backoff": _MOMENT, "base": 2},
        }
        try:
            if aws.ca_bundle is not None:
                options["root_certificate"] = Path(aws.ca_bundle).read_bytes()
            store = S3Store(
                config=config,
                client_options=options,
                retry_config=retry,
                credential_provider=_Credentials(aws.session),
            )
        except _FAILURES:
            return None
        return cls(store, bucket)

    @property
    def is_worth_asking(self) -> bool:
        """False once obstore has failed again and again on what botocore could read."""
        return self._failures_in_a_row < _MOST_FAILURES_IN_A_ROW

    def note_failure(self) -> None:
        """botocore could read what obstore could not."""
        self._failures_in_a_row += 1

    def fetch(
        self, key: str, read: Callable[[Iterable[Buffer]], T], pace: Pace
    ) -> Fetched[T] | Failure:
        """The object, or what anything but a whole success is worth."""
        with pace.request() as request:
            try:
                result = obstore.get(self._store, key)
                meta = result.meta  # made anew each time it is asked for
                body = result.bytes() if meta["size"] <= WHOLE_BODY_BYTES else None
            except _FAILURES as error:
                failure = _failure(error)
                request.slow_down = failure is Failure.SLOW_DOWN
                return failure
            if body is None:
                pieces = result.stream(min_chunk_size=_STREAM_PIECE_BYTES)
                return self._fetched(key, meta, result.attributes, pieces, read)
        # The next request need not wait for this one's bytes to be hashed.
        return self._fetched(key, meta, result.attributes, (memoryview(body),), read)

    def _fetched(
        self,
        key: str,
        meta: ObjectMeta,
        attributes: Attributes,
        pieces: Iterable[Buffer],
        read: Callable[[Iterable[Buffer]], T],
    ) -> Fetched[T] | Failure:
        try:
            content = read(whole(pieces, meta["size"], _FAILURES))
        except BrokenTransferError:
            return Failure.PASSING
        self._failures_in_a_row = 0
        return Fetched(
            location=S3Location(self._bucket, key),
            content=content,
            # The object's own properties come capitalised (Content-Type), user metadata never does.
            metadata={name: value for name, value in attributes.items() if name == name.lower()},
            last_modified=meta["last_modified"],
            version_id=meta["version"],
            size=meta["size"],
        )


class _Credentials:
    """The session's credentials of now, whenever obstore asks for them.

    obstore has the same for boto3, which takes longer to load than all else that it needs.
    """

    def __init__(self, session: botocore.session.Session) -> None:
        self._session = session

    def __call__(self) -> S3Credential:
        until = datetime.now(UTC) + _CREDENTIALS_LIFE
        credentials = self._session.get_credentials()
        frozen = credentials and credentials.get_frozen_credentials()
        if frozen is None or frozen.access_key is None or frozen.secret_key is None:
            raise NoCredentialsError
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": until,
        }


def _failure(error: Exception) -> Failure:
    """By the HTTP status, or by there being no whole answer; all of it stands in the text alone."""
    text = str(error)[:_LONGEST_MESSAGE]
    status = _STATUS.search(text)
    if status is None:
        return Failure.PASSING if "HTTP error:" in text else Failure.OTHER
    if status[1] in ("429", "503"):
        return Failure.SLOW_DOWN
    return Failure.PASSING if status[1].startswith("5") else Failure.OTHER


def bucket_endpoint(client: Any, bucket: str) -> tuple[str, bool]:
    """The endpoint for obstore, and whether the bucket's name is part of its host.

    Which of the two styles it is, botocore decides; a URL that it signs shows it. That URL may name
    the global endpoint, so the host is taken from the client's own, regional one.
    """
    own = urlsplit(client.meta.endpoint_url)
    asked = {"Bucket": bucket, "Key": "key"}
    shown = urlsplit(client.generate_presigned_url("get_object", Params=asked))
    virtual_hosted = shown.netloc.startswith(f"{bucket}.")
    host = f"{bucket}.{own.netloc}" if virtual_hosted else own.netloc
    return f"{own.scheme}://{host}{own.path}".rstrip("/"), virtual_hosted
