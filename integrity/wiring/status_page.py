"""The scheduler's page: how the watched trails stand, as HTML and JSON, to be read and no more.

It answers GET of two paths and of nothing else, reads no body, and knows no secret. waitress
listens, which bounds headers, connections and time. On a loopback address a request under another
name is refused: a page of a stranger's that lets its own name lead here must not read it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from logging import getLogger
from threading import Thread
from typing import Any

from integrity.errors import IntegrityError, UsageError
from integrity.grammar import parse_listen
from integrity.report.page import POLICY
from integrity.report.standing import Standing, encode_standing
from integrity.report.standing_page import render_standing_page, render_trouble_page

Environ = dict[str, Any]
StartResponse = Callable[..., object]

_HEADERS = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
]
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"

_log = getLogger(__name__)


class StatusPage:
    """A WSGI application over whatever says how the trails stand."""

    def __init__(self, read: Callable[[], Standing], *, only_loopback: bool) -> None:
        self._read = read
        self._only_loopback = only_loopback

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """One answer."""
        status, kind, body = self._answer(environ)
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *_HEADERS])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _answer(self, environ: Environ) -> tuple[str, str, bytes]:
        if self._only_loopback and not _is_own_name(environ.get("HTTP_HOST", "")):
            return "421 Misdirected Request", _TEXT, b"ask by the address that it listens at\n"
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return "405 Method Not Allowed", _TEXT, b"it can be read, and no more\n"
        path = environ.get("PATH_INFO", "")
        if path not in ("/", "/status.json"):
            return "404 Not Found", _TEXT, b"there are / and /status.json\n"
        try:
            standing = self._read()
        except IntegrityError as error:
            _log.error("status not read", extra={"error": str(error)})
            page = render_trouble_page(str(error))
            return "503 Service Unavailable", _HTML, page.encode()
        if path == "/":
            return "200 OK", _HTML, render_standing_page(standing).encode()
        return "200 OK", _JSON, encode_standing(standing) + b"\n"


def serve_page(listen: str, read: Callable[[], Standing]) -> int:
    """Serve it from a thread of its own for as long as the process lives; the port.

    Raises UsageError where nobody can listen there.
    """
    import waitress

    host, port = parse_listen(listen)
    page = StatusPage(read, only_loopback=ipaddress.ip_address(host).is_loopback)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"status.listen: nobody can listen at {listen} ({error.strerror or error}): choose an "
            "address of this machine and a port that is free"
        ) from error
    server = waitress.create_server(
        page, sockets=[listening], threads=2, connection_limit=20, ident=None
    )
    Thread(target=server.run, daemon=True, name="status-page").start()
    _log.info("status page", extra={"listen": listen})
    return int(listening.getsockname()[1])


def _is_own_name(host: str) -> bool:
    """Whether a request came by a loopback address, or by `localhost`."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
