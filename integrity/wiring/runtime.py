"""The loop of an AWS Lambda function in a container image: fetch an invocation, answer it, again.

Lambda's own interface for that is four requests to an address in the environment, so that no
client library is needed for it. A fault of an invocation is told to Lambda, which calls again as
its source asks for; the process goes on. (AWS: Using the Lambda runtime API for custom runtimes.)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from logging import getLogger
from typing import Any

import urllib3
from msgspec import Struct

from integrity.errors import AccessError, IntegrityError

ADDRESS = "AWS_LAMBDA_RUNTIME_API"
"""The environment variable with host and port."""

_PATH = "/2018-06-01/runtime"
_ID = "Lambda-Runtime-Aws-Request-Id"
_KIND = "Lambda-Runtime-Function-Error-Type"
_MOST_SAID = 1000

_log = getLogger(__name__)

Handler = Callable[[bytes], Any]


class _Invocation(Struct, frozen=True):
    id: str
    payload: bytes


class RuntimeApi:
    """Lambda's side, at `address`. Raises AccessError where it does not answer as it should."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}{_PATH}"
        # It waits for the next invocation as long as it takes: the process is frozen meanwhile.
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(None), retries=False)

    def serve(self, open_handler: Callable[[], Handler]) -> None:
        """Answer invocations until Lambda ends the process."""
        try:
            handle = open_handler()
        except IntegrityError as error:
            self._post("/init/error", _told(error), error)
            raise
        while True:
            self._answer(handle, self._next())

    def _answer(self, handle: Handler, invocation: _Invocation) -> None:
        path = f"/invocation/{invocation.id}"
        try:
            answer = handle(invocation.payload)
        except Exception as fault:  # noqa: BLE001 - behind this edge there is only Lambda
            _log.error("invocation failed", exc_info=not isinstance(fault, IntegrityError))
            self._post(f"{path}/error", _told(fault), fault)
        else:
            self._post(f"{path}/response", answer)

    def _next(self) -> _Invocation:
        response = self._request("GET", "/invocation/next")
        return _Invocation(response.headers.get(_ID, ""), response.data)

    def _post(self, path: str, body: object, fault: Exception | None = None) -> None:
        kind = {} if fault is None else {_KIND: f"Integrity.{type(fault).__name__}"}
        self._request("POST", path, json.dumps(body).encode(), kind)

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        try:
            response = self._pool.request(method, self._url + path, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise AccessError(f"Lambda's runtime interface does not answer: {error}") from error
        if not 200 <= response.status < 300:
            raise AccessError(f"Lambda's runtime interface answered {response.status} to {path}")
        return response


def _told(fault: Exception) -> dict[str, object]:
    return {
        "errorMessage": str(fault)[:_MOST_SAID],
        "errorType": type(fault).__name__,
        "stackTrace": [],
    }
