"""The lab's AWS: a world on 127.0.0.1, for boto3, libcurl, the AWS CLI and everybody else.

    with serve(world) as server:
        client = boto3.client("s3", endpoint_url=server.endpoint, ...)
        subprocess.run(["aws", "cloudtrail", "validate-logs", ...], env={**os.environ,
                       **server.environment})

S3 on the world's buckets, CloudTrail's reading operations, STS, Organizations, DescribeRegions
and LookupEvents are answered from the world, always as it is now; everything else is moto's, which
is loaded, empty, when first needed, and whose own settings are under `/moto-api/`.

`server.faults` spoils answers (`integrity.lab.faults`), `server.requests` counts them;
`server.ahead` is how far the clock that dates answers is ahead of the world's; `server.s3`,
`server.cloudtrail` and `server.roles` have knobs of their own.

Signatures are not checked, but a request without one is refused. The caller's account is the
first trail's, or the one that `environment_for` wrote into the access key, or that of a role which
was assumed.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from werkzeug.serving import make_server
from werkzeug.test import Client

from integrity.lab.account_front import AccountFront
from integrity.lab.cloudtrail_front import CloudTrailFront
from integrity.lab.faults import Fault
from integrity.lab.handler import bound_to
from integrity.lab.roles_front import RolesFront
from integrity.lab.s3_front import S3Front
from integrity.lab.wire import Request, Response, error_for, s3_error
from integrity.lab.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ACCESS_KEY = "AKIALABX"


class Requests:
    """How often what was asked; `by_operation["GetObject"]`, `by_key["GetObject", key]`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.by_operation: Counter[str] = Counter()
        self.by_key: Counter[tuple[str, str]] = Counter()
        self.by_region: Counter[tuple[str, str]] = Counter()

    def count(self, operation: str, key: str, region: str) -> None:
        """Add one request."""
        with self._lock:
            self.by_operation[operation] += 1
            self.by_region[operation, region] += 1
            if key:
                self.by_key[operation, key] += 1

    def clear(self) -> None:
        """Begin again at nothing."""
        with self._lock:
            for counter in (self.by_operation, self.by_key, self.by_region):
                counter.clear()

    @property
    def total(self) -> int:
        """All requests so far."""
        return self.by_operation.total()


class LabServer:
    """A running server; `endpoint` is its URL. Made and ended by `serve`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.s3 = S3Front(world)
        self.cloudtrail = CloudTrailFront(world)
        self.account = AccountFront(world)
        self.roles = RolesFront()
        self.faults: list[Fault] = []
        self.ahead = timedelta(0)
        self.requests = Requests()
        self.connections: set[socket.socket] = set()
        self._moto: WSGIApplication | None = None
        self._moto_lock = threading.Lock()
        self._server = make_server(
            "127.0.0.1", 0, self._hand_to_moto, threaded=True, request_handler=bound_to(self)
        )
        self.thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client of the caller's account needs in its environment, and nothing else."""
        return self.environment_for(self.world.caller_account_id)

    def environment_for(self, account_id: str) -> dict[str, str]:
        """The same for a caller of another account."""
        home = self.world.trails[0].home_region if self.world.trails else "us-east-1"
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": f"{_ACCESS_KEY}{account_id}",
            "AWS_SECRET_ACCESS_KEY": "lab",
            "AWS_DEFAULT_REGION": home,
            "AWS_REGION": home,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def sync(self) -> None:
        """Take over changes of the world at once; otherwise the next request does."""
        self.s3.index.sync()

    def answer(self, request: Request) -> tuple[Response | None, Fault | None]:
        """The answer, None where it is moto's, and the fault that spoils it."""
        bucket, key = request.bucket_and_key if request.service in ("s3", "") else ("", "")
        operation = self._operation(request, bucket, key)
        self.requests.count(operation, key, request.region)
        for fault in self.faults:
            if fault.applies(operation, bucket, key, request.region, request.access_key):
                return fault.error(request.service) or self._answer(
                    operation, request, bucket, key
                ), fault
        return self._answer(operation, request, bucket, key), None

    def _operation(self, request: Request, bucket: str, key: str) -> str:
        if request.service in ("s3", ""):
            return self.s3.operation(request, bucket, key)
        target = request.headers.get("x-amz-target", "")
        if target:
            return target.rpartition(".")[2]
        asked = parse_qs(request.body.decode("latin-1")) if request.body else {}
        return asked.get("Action", [request.method])[0]

    def _answer(self, operation: str, request: Request, bucket: str, key: str) -> Response | None:
        if request.path.startswith("/moto-api/"):
            return None
        if not request.access_key:
            return s3_error(403, "AccessDenied", "Access Denied")
        account = self.world.caller_account_id
        if request.access_key.startswith(_ACCESS_KEY):
            account = request.access_key[len(_ACCESS_KEY) :]
        account = self.roles.account_of(request.access_key) or account
        if request.service == "s3":
            return self._s3(operation, request, bucket, key)
        if request.service == "cloudtrail" and operation in self.cloudtrail.OPERATIONS:
            return self.cloudtrail.answer(operation, request, account)
        if operation == "AssumeRole":
            return self.roles.answer(request)
        if operation in self.account.OPERATIONS:
            return self.account.answer(operation, request, account)
        return None

    def _s3(self, operation: str, request: Request, bucket: str, key: str) -> Response | None:
        if operation == "ListBuckets":
            return self.s3.list_buckets()
        if bucket in self.world.buckets:
            return self.s3.answer(operation, request, bucket, key)
        # Before moto has been needed there is no other bucket.
        if self._moto is None and request.method in ("GET", "HEAD") and bucket:
            return error_for("s3", 404, "NoSuchBucket", "The specified bucket does not exist")
        return None

    def _hand_to_moto(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterator[bytes]:
        with self._moto_lock:
            if self._moto is None:
                from moto.moto_server.werkzeug_app import (
                    DomainDispatcherApplication,
                    create_backend_app,
                )

                self._moto = DomainDispatcherApplication(create_backend_app)
                # Its state is the process's, and an earlier server's would show in this one.
                Client(self._moto).post("/moto-api/reset").close()
        return iter(self._moto(environ, start_response))

    def __enter__(self) -> LabServer:
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self.thread.join()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its thread has just ended it
        self._server.server_close()


@contextmanager
def serve(world: World) -> Iterator[LabServer]:
    """Serve `world` on a free port of 127.0.0.1 until the block ends."""
    with LabServer(world) as server:
        yield server
