"""One connection to the lab's server: HTTP/1.1 with keep-alive, read and written by hand.

A request is read once, offered to the lab (`answer`), and only what the lab does not answer goes
through werkzeug to moto. The short way exists because a chain is thousands of small GETs and
werkzeug spends more on each than the lab does. Faults that need the socket are done here.
"""

from __future__ import annotations

import socket
import struct
import time
from http.client import responses
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar

from moto.moto_server.werkzeug_app import MotoRequestHandler

from integrity.lab.faults import Fault
from integrity.lab.wire import REQUEST_ID, Request, Response, http_date

if TYPE_CHECKING:
    from integrity.lab.server import LabServer

_MAX_LINE = 65536


class LabRequestHandler(MotoRequestHandler):
    """Serves one connection for the `lab` that its subclass is bound to."""

    lab: ClassVar[LabServer]
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Remember the connection, so that the server can end it."""
        super().setup()
        self.lab.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.lab.connections.discard(self.connection)
        super().finish()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the lab counts requests instead."""

    def handle_one_request(self) -> None:
        """Read a request, and answer it or hand it to moto."""
        line = self.rfile.readline(_MAX_LINE)
        words = line.split()
        if len(words) != 3:
            self.close_connection = True
            return
        lines = [line]
        headers: dict[str, str] = {}
        while (header := self.rfile.readline(_MAX_LINE)) not in (b"\r\n", b"\n", b""):
            name, _, value = header.decode("latin-1").partition(":")
            name = name.lower()
            if name == "expect":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                continue
            lines.append(header)
            headers[name] = value.strip()
        self.close_connection = headers.get("connection", "").lower() == "close"
        chunked = "chunked" in headers.get("transfer-encoding", "")
        body = b"" if chunked else self.rfile.read(int(headers.get("content-length") or 0))
        request = Request.received(words[0].decode(), words[1].decode("latin-1"), headers, body)
        answer, fault = self.lab.answer(request)
        if fault is not None and fault.do == "delay":
            time.sleep(fault.seconds)
        if fault is not None and fault.do == "reset":
            self._reset()
        elif answer is not None:
            self._send(request, answer, fault)
        else:
            self._hand_on(lines, None if chunked else body)

    def _send(self, request: Request, answer: Response, fault: Fault | None) -> None:
        body = answer.body
        if fault is not None and fault.do in ("cut", "cut-short") and request.method != "HEAD":
            body = body[: fault.size]
        promised = len(body if fault is not None and fault.do == "cut" else answer.body)
        head = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}"]
        head.append(f"x-amz-request-id: {REQUEST_ID}\r\nServer: lab\r\nContent-Length: {promised}")
        head.append(f"Date: {http_date(self.lab.world.now + self.lab.ahead)}")
        head.extend(f"{name}: {value}" for name, value in answer.headers.items())
        if self.close_connection:
            head.append("Connection: close")
        start = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1", "replace")
        if request.method == "HEAD":
            self.wfile.write(start)
        elif fault is not None and fault.do == "drip":
            self.wfile.write(start)
            for at in range(0, len(body), max(1, fault.size)):
                time.sleep(fault.seconds)
                self.wfile.write(body[at : at + max(1, fault.size)])
        else:
            self.wfile.write(start + body)
        if len(body) < promised:
            self.close_connection = True

    def _reset(self) -> None:
        # Closing with a linger time of zero sends RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _hand_on(self, lines: list[bytes], body: bytes | None) -> None:
        """Let werkzeug parse what was read again and run the application of the server."""
        connection = self.rfile
        self.raw_requestline = lines[0]
        self.rfile = BytesIO(b"".join([*lines[1:], b"\r\n"]))
        try:
            if self.parse_request():
                self.rfile = connection if body is None else BytesIO(body)
                self.run_wsgi()
        finally:
            self.rfile = connection


def bound_to(lab: LabServer) -> type[LabRequestHandler]:
    """The handler class whose connections ask `lab`."""

    class Bound(LabRequestHandler):
        pass

    Bound.lab = lab
    return Bound
