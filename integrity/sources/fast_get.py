"""GETs through libcurl, one handle for one after the other: bytes as they are stored, and headers.

libcurl signs, resolves, connects and keeps connections; it answers in the thread that asks. What is
no whole success is a `Failure` and says no more than whether to ask again. Nothing is redirected
or inflated here; repeated is only what met a kept connection that was closed before any answer.
Nothing is larger than `MOST_BYTES`: it is all held in memory.
(AWS: API_GetObject; Signature Version 4. libcurl: CURLOPT_AWS_SIGV4.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from math import ceil
from pathlib import Path
from typing import Any

import botocore.session
import pycurl
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from msgspec import Struct

from integrity import __version__
from integrity.aws.refusal import REFUSALS
from integrity.aws.session import Aws

MOST_BYTES = 512 * 1024
"""Of one answer; log files of CloudTrail have some ten kilobytes. As many are held as are asked for
at a time."""

_BUFFER_BYTES = 64 * 1024
_USER_AGENT = f"integrity/{__version__} {pycurl.version.split()[1]}"
_FULL_ANSWER = 200
_END_OF_TIME = datetime.max.replace(tzinfo=UTC).timestamp()
_SLOW_DOWN = frozenset({429, 503})
_SERVER_ERRORS = 500
# What is none of the network's doing, so that asking again is of no use.
_LASTING = frozenset(
    {
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_UNSUPPORTED_PROTOCOL,
        pycurl.E_URL_MALFORMAT,
    }
)


class Failure(Enum):
    """What a failure is worth asking again: the same, after a while, or botocore at once.

    What is too large says nothing of what libcurl is able to.
    """

    SLOW_DOWN = "slow down"
    PASSING = "passing"
    TOO_LARGE = "too large"
    OTHER = "other"


class Got(Struct, frozen=True):
    """A whole answer. Names of headers are lower-case."""

    body: bytes
    headers: Mapping[str, str]
    last_modified: datetime | None


class Door(Struct, frozen=True):
    """Where a bucket's requests go, and as whom: what all handles of it have in common.

    `url` is the bucket's, without a slash at its end; `owner` the account that it has to be of.
    """

    aws: Aws
    session: botocore.session.Session
    url: str
    region: str
    owner: str | None

    def handle(self, *, with_headers: bool) -> Get:
        """Another handle, with connections of its own."""
        return Get(self, with_headers=with_headers)

    def credentials(self) -> tuple[str, str, str | None]:
        """Those of now. Raises what botocore raises where there are none."""
        credentials = self.session.get_credentials()
        frozen = credentials and credentials.get_frozen_credentials()
        if frozen is None or frozen.access_key is None or frozen.secret_key is None:
            raise NoCredentialsError
        return frozen.access_key, frozen.secret_key, frozen.token


class Get:
    """A handle: `begin`, let libcurl perform `curl`, `end`. For one thread at a time.

    Without headers it takes half the time of the interpreter, which is asked to hold each of them.
    """

    def __init__(self, door: Door, *, with_headers: bool) -> None:
        self._door = door
        self._credentials: tuple[str, str, str | None] | None = None
        self._pieces: list[bytes] = []
        self._lines: list[bytes] = []
        self.curl: Any = pycurl.Curl()
        recipe = door.aws.recipe
        options: dict[int, Any] = {
            pycurl.NOSIGNAL: 1,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.OPT_FILETIME: 1,
            pycurl.USERAGENT: _USER_AGENT,
            pycurl.BUFFERSIZE: _BUFFER_BYTES,
            pycurl.MAXFILESIZE: MOST_BYTES,
            pycurl.CONNECTTIMEOUT_MS: ceil(1000 * recipe.connect_timeout),
            pycurl.TIMEOUT_MS: ceil(1000 * recipe.transfer_timeout),
            pycurl.LOW_SPEED_LIMIT: 1,
            pycurl.LOW_SPEED_TIME: ceil(recipe.read_timeout),
            pycurl.AWS_SIGV4: f"aws:amz:{door.region}:s3",
            # Nothing but what botocore finds in the environment is obeyed.
            pycurl.PROXY: _proxy(door.url),
            pycurl.NOPROXY: "",
            pycurl.WRITEFUNCTION: self._pieces.append,
        }
        if with_headers:
            options[pycurl.HEADERFUNCTION] = self._lines.append
        bundle = str(door.aws.ca_bundle or get_cert_path(verify=True))
        options[pycurl.CAPATH if Path(bundle).is_dir() else pycurl.CAINFO] = bundle
        for option, value in options.items():
            self.curl.setopt(option, value)

    def begin(self, rest: str) -> bool:
        """Ask for what follows the bucket's URL, encoded. False where there are no credentials."""
        try:
            credentials = self._door.credentials()
        except REFUSALS:
            return False
        if credentials != self._credentials:
            self._sign_as(*credentials)
            self._credentials = credentials
        self.curl.setopt(pycurl.URL, self._door.url + rest)
        return True

    def _sign_as(self, access_key: str, secret_key: str, token: str | None) -> None:
        self.curl.setopt(pycurl.USERNAME, access_key)
        self.curl.setopt(pycurl.PASSWORD, secret_key)
        headers = {
            "x-amz-expected-bucket-owner": self._door.owner,
            "x-amz-security-token": token,
        }
        said = [f"{name}: {text}" for name, text in headers.items() if text is not None]
        self.curl.setopt(pycurl.HTTPHEADER, said)

    def end(self, error: int) -> Got | Failure:
        """What came of it: `error` is libcurl's number, 0 for none."""
        body, lines = b"".join(self._pieces), b"".join(self._lines)
        self._pieces.clear()
        self._lines.clear()
        if error == pycurl.E_FILESIZE_EXCEEDED:
            return Failure.TOO_LARGE
        if error:
            return Failure.OTHER if error in _LASTING else Failure.PASSING
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        if status != _FULL_ANSWER:
            return _refused(status)
        if self.curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T) != len(body):
            return Failure.PASSING  # nobody said how many bytes there are
        if not lines.isascii():
            return Failure.OTHER  # what is meant, botocore says
        if not lines:
            return Got(body, {}, None)
        changed = self.curl.getinfo(pycurl.FILETIME_T)
        # libcurl says 0 of what is no time at all, and of a year beyond all others what it has.
        is_time = 0 < changed < _END_OF_TIME
        when = datetime.fromtimestamp(changed, UTC) if is_time else None
        return Got(body, _headers(lines.decode()), when)


def _refused(status: int) -> Failure:
    if status in _SLOW_DOWN:
        return Failure.SLOW_DOWN
    return Failure.PASSING if status >= _SERVER_ERRORS else Failure.OTHER


def _headers(text: str) -> dict[str, str]:
    """Those of the last answer: a proxy's own, or an interim one, may come before it."""
    last = text.rstrip().rpartition("\r\n\r\n")[2]
    pairs = (line.partition(":") for line in last.split("\r\n"))
    return {name.lower(): said.strip() for name, _, said in pairs}


def _proxy(url: str) -> str:
    proxies: dict[str, str] = get_environ_proxies(url)
    return proxies.get(url.partition(":")[0], "")
