"""A server of 127.0.0.1 that answers what a test tells it to, byte for byte.

It is for what the lab's AWS never says: a proxy's page, a header in another encoding, a body
without a length.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Answer:
    """What goes back. `length` is what Content-Length says: the body's own, another, or nothing.

    `before` comes before all of it, byte for byte.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | str | None = "body"
    before: bytes = b""


@dataclass
class Wire:
    """The running server: where it is and what it was asked."""

    endpoint: str
    asked: list[Asked]


Script = Callable[[Asked], Answer]


def s3_error(status: int, code: str, message: str = "no", extra: str = "") -> Answer:
    """An error in S3's own XML."""
    text = f"<Error><Code>{code}</Code><Message>{message}</Message>{extra}</Error>"
    return Answer(status, text.encode(), {"Content-Type": "application/xml"})


@contextmanager
def wire(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """Serve `script` until the block ends."""
    seen: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.reply()

        def do_HEAD(self) -> None:
            self.reply()

        def do_CONNECT(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            self.reply()

        def reply(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers)
            seen.append(asked)
            answer = script(asked)
            self.wfile.write(answer.before)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = len(answer.body) if answer.length == "body" else answer.length
            if length is not None:
                self.send_header("Content-Length", str(length))
            if length != len(answer.body):
                self.close_connection = True
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Wire(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def tunnel(to: str, said: bytes) -> Iterator[str]:
    """A proxy that says `said` to the one CONNECT that it hears, then hands on what comes."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def connect() -> None:
        caller, _ = server.accept()
        with caller, socket.create_connection((host, int(port))) as target:
            while b"\r\n\r\n" not in caller.recv(65536):
                pass
            caller.sendall(said)
            back = threading.Thread(target=copy, args=(target, caller), daemon=True)
            back.start()
            copy(caller, target)
            back.join()

    host, port = to.rpartition("/")[2].split(":")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
