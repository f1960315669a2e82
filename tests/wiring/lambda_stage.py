"""A server on 127.0.0.1 that plays Lambda's side of its runtime interface."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/2018-06-01/runtime"


@dataclass
class Lambda:
    """Hands out `payloads`, one an invocation, and keeps what is answered; then says 410 (gone)."""

    payloads: list[bytes]
    address: str = ""
    answered: list[Any] = field(default_factory=list)
    failed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    not_started: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def play(*payloads: bytes) -> Iterator[Lambda]:
    stage = Lambda(list(payloads))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.path == f"{PATH}/invocation/next"
            if not stage.payloads:
                self.answer(410)
                return
            number = len(stage.answered) + len(stage.failed)
            self.answer(200, stage.payloads.pop(0), {"Lambda-Runtime-Aws-Request-Id": f"n{number}"})

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = len(stage.answered) + len(stage.failed)
            if self.path == f"{PATH}/init/error":
                stage.not_started.append(said)
            elif self.path == f"{PATH}/invocation/n{number}/response":
                stage.answered.append(said)
            else:
                assert self.path == f"{PATH}/invocation/n{number}/error"
                stage.failed.append((self.headers["Lambda-Runtime-Function-Error-Type"], said))
            self.answer(202)

        def answer(
            self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stage.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stage
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
