"""LocalStack on this machine, without a container: CloudWatch alarms that really go off.

It needs a Python 3.13 of its own and an environment that is made once, from hashes, in
build/localstack. It is listened to at 127.0.0.1 alone, and ends with the block that started it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.deploy.tools import make_environment

LOCK = Path(__file__).with_name("localstack.lock")
_SERVICES = "s3,sns,sqs,cloudwatch,events,cloudformation,iam,logs,sts,kms"

# GATEWAY_LISTEN decides the port; its address is not looked at for IPv4, and all would be open.
_START = """
from functools import partial
from twisted.internet import endpoints
endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
from localstack.runtime.main import main
main()
"""


def find_python() -> str | None:
    """A Python 3.13 that runs: one of pyenv's, whose name on the path may lead nowhere, or that."""
    there = [str(path) for path in Path.home().glob(".pyenv/versions/3.13.*/bin/python3.13")]
    for python in (*there, shutil.which("python3.13")):
        if (
            python
            and not subprocess.run(
                [python, "-c", "import ensurepip, venv"], check=False, capture_output=True
            ).returncode
        ):
            return python
    return None


@contextmanager
def localstack(python: str, place: Path) -> Iterator[str]:
    """Its endpoint. Raises CalledProcessError where the environment cannot be made."""
    program = make_environment("localstack", LOCK, python)
    port = _free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "FILESYSTEM_ROOT": str(place / "root"),
        "CUSTOM_SSL_CERT_PATH": str(_certificate(place)),
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "SERVICES": _SERVICES,
    }
    log = place / "localstack.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, "-c", _START],
            env=environ,
            cwd=place,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_for(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_localstack/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"LocalStack did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask, and then end it and what it started: its process group is its own."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _certificate(place: Path) -> Path:
    """A certificate for nobody: without one LocalStack fetches its own from the network."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = place / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
