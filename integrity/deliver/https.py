"""A URL that takes what is posted to it: HTTP's part of Slack and of webhooks.

The whole URL is a secret, because whoever knows it can post: nothing but its host is ever said, in
an error or in a log, and no word of the answer is passed on. The certificate is always checked
(SSL_CERT_FILE names authorities of one's own), a redirect is an answer like any other, and nothing
is tried twice: that is the outbox's. The proxies of the environment are those that AWS's own
clients use: HTTPS_PROXY and NO_PROXY.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import urllib3
from botocore.utils import get_environ_proxies
from msgspec import Struct
from urllib3 import exceptions as trouble

from integrity import __version__
from integrity.deliver.deadline import Deadline
from integrity.grammar import parse_url
from integrity.state import DeliveryError

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 10.0
DEADLINE = 30.0
_MOST_READ = 200

# In this order: the first class that matches speaks.
_BY_CLASS: tuple[tuple[type[Exception], str], ...] = (
    (trouble.ProxyError, "the proxy that HTTPS_PROXY names did not let it through"),
    (trouble.ProxySchemeUnknown, "HTTPS_PROXY names no proxy: expected http://HOST:PORT"),
    (
        trouble.SSLError,
        "its TLS certificate was not accepted: mend it there, or name its authority with "
        "SSL_CERT_FILE",
    ),
    (trouble.NameResolutionError, "its name is not known: check the URL, DNS and the proxy"),
    (trouble.NewConnectionError, "it cannot be reached: check the URL and the way out"),
    (
        trouble.ConnectTimeoutError,
        f"no connection within {CONNECT_TIMEOUT:.0f} s: check the way out of this network",
    ),
    (trouble.ReadTimeoutError, f"it was silent for {READ_TIMEOUT:.0f} s; it may have taken it"),
    (trouble.LocationValueError, "its name is none: check the URL"),
)
_LATE = "it was not through with it in time, however slowly it went on; it may have taken it"
_BROKEN_OFF = "the connection broke off; it may have taken it"

_BY_STATUS = {
    400: "it does not take what was sent",
    401: "it does not accept the sender: check the URL and the secret",
    403: "it does not accept the sender: check the URL and the secret",
    404: "nobody is there: check the URL",
    405: "it takes no POST: check the URL",
    407: "the proxy wants a user and a password: put them into HTTPS_PROXY",
    410: "it is gone for good: configure another one",
    413: "what was sent is too large for it",
    429: "it asks for fewer messages",
}


class Answer(Struct, frozen=True):
    """A status, and of one that refuses how the body begins: the receiver's own words."""

    status: int
    body: str
    retry_after: str

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


class Endpoint:
    """One URL. Raises UsageError where it is not one that may be posted to (`parse_url`)."""

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self.host = urlsplit(self._url).netloc
        _unsaid.add(urllib3.util.parse_url(self._url).request_uri)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises DeliveryError where no answer came; a status that refuses is an answer."""
        # For all of it: who answers a byte at a time is never silent.
        deadline = Deadline(DEADLINE)
        try:
            with self._pool() as pool, deadline:
                deadline.watch(pool.connection_from_url(self._url))
                response = pool.request(
                    "POST",
                    self._url,
                    body=body,
                    headers={"User-Agent": f"integrity/{__version__}", **headers},
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
                deadline.hold(response)
                # Headers that were cut look like whole ones.
                is_whole, start = not deadline.has_passed, b""
                if is_whole and response.status >= 300:
                    with suppress(trouble.HTTPError):  # the status says enough
                        start = response.read1(_MOST_READ)
                response.close()
            if not is_whole:
                raise DeliveryError(f"{self.host} did not take it: {_LATE}")
        except trouble.HTTPError as error:
            # Not `from error`: its text has the URL.
            said = _LATE if deadline.has_passed else _said(error)
            raise DeliveryError(f"{self.host} did not take it: {said}") from None
        return Answer(
            response.status,
            start.decode("utf-8", "replace"),
            response.headers.get("Retry-After", ""),
        )

    def refusal(self, answer: Answer, said: str = "") -> DeliveryError:
        """What an answer that refuses means, in words of our own; `said` knows more of it."""
        if 300 <= answer.status < 400:
            meaning = "a redirect, which is not followed: configure the URL that it leads to"
        elif answer.status >= 500:
            meaning = "a fault of its own"
        else:
            meaning = _BY_STATUS.get(answer.status, "it refuses")
        wait = ""
        if answer.retry_after.isascii() and answer.retry_after.isdigit():
            wait = f", in {answer.retry_after[:6]} s"
        return DeliveryError(
            f"{self.host} did not take it: status {answer.status}, {said or meaning}{wait}"
        )

    def _pool(self) -> urllib3.PoolManager:
        """A new one each time: messages are rare, and a kept connection would be a stale one."""
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
        # What goes without TLS goes to this machine, and through nobody's hands.
        proxy = get_environ_proxies(self._url).get("https")
        if not proxy or self._url.startswith("http:"):
            return urllib3.PoolManager(1, timeout=timeout, cert_reqs="CERT_REQUIRED")
        told = urllib3.util.parse_url(proxy if "://" in proxy else f"http://{proxy}")
        return urllib3.ProxyManager(
            told._replace(auth=None).url,
            1,
            proxy_headers=urllib3.make_headers(proxy_basic_auth=told.auth) if told.auth else None,
            timeout=timeout,
            cert_reqs="CERT_REQUIRED",
        )


def _said(error: trouble.HTTPError) -> str:
    cause = error.original_error if isinstance(error, trouble.ProxyError) else error
    if isinstance(cause, trouble.SSLError):
        error = cause
    return next((said for kind, said in _BY_CLASS if isinstance(error, kind)), _BROKEN_OFF)


class _Unsaid(logging.Filter):
    """Keeps the lines of urllib3's debug log to itself that show the path of such a URL."""

    def __init__(self) -> None:
        super().__init__()
        self._targets: set[str] = set()

    def add(self, target: str) -> None:
        """From now on this one."""
        self._targets.add(target)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line may be written."""
        said = record.args if isinstance(record.args, tuple) else ()
        return not any(isinstance(one, str) and one in self._targets for one in said)


_unsaid = _Unsaid()
logging.getLogger("urllib3.connectionpool").addFilter(_unsaid)
