"""An end to a request of urllib3's, by the clock: its own time-outs begin anew with every byte.

When the time is up, the socket is shut down under whoever waits for it, who then meets the end of
the connection. Only while a name is looked up there is no socket, and nothing to be shut down.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

import urllib3

_AGAIN_SECONDS = 1.0
"""Between the first cut and the next: what was connecting meanwhile has a socket by then."""


class Deadline:
    """So many seconds for the block, and what is watched in it. Not used twice."""

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._seconds = seconds
        self._done = threading.Event()
        self._connections: list[Any] = []
        self._responses: list[urllib3.BaseHTTPResponse] = []
        self._thread = threading.Thread(target=self._wait, daemon=True)

    def __enter__(self) -> Deadline:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def watch(self, pool: urllib3.HTTPConnectionPool) -> None:
        """The connections that the pool makes."""
        make = pool.ConnectionCls

        def note(*given: Any, **named: Any) -> Any:
            connection = make(*given, **named)
            self._connections.append(connection)
            return connection

        pool.ConnectionCls = note  # type: ignore[assignment]  # a class, or what makes the like

    def hold(self, response: urllib3.BaseHTTPResponse) -> None:
        """From now on the response has the socket."""
        self._responses.append(response)

    def _wait(self) -> None:
        wait = self._seconds
        while not self._done.wait(wait):
            self.has_passed = True
            self._cut()
            wait = _AGAIN_SECONDS

    def _cut(self) -> None:
        """What is through, or not yet connected, has nothing to be cut."""
        for connection in self._connections:
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        for response in self._responses:
            with suppress(OSError, ValueError, RuntimeError):
                response.shutdown()
