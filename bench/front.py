"""nginx before a lab world: objects from files, all other answers from the lab, once each.

The lab answers a request in about a millisecond of Python, so it would be what is measured. nginx
answers with the object's file, and keeps what the lab said of a listing, a key or a trail; the
worlds that are measured do not change. It can wait before each answer (the time to the first byte,
as a server far away has it), speak TLS, and turn one request in twenty away as S3 does.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path

from bench.certificates import write_certificates
from integrity.lab.objects import Objects
from integrity.lab.server import serve
from integrity.lab.world import World

_MOST_LINKS = 30_000
_MISSING = """nginx with its Lua module is needed, to serve objects faster than they are read. On
Debian and Ubuntu: apt-get install --no-install-recommends nginx-light libnginx-mod-http-lua"""


class Way(Enum):
    """How the world is reached."""

    NEAR = "no latency"
    FAR = "30 ms a request"
    TLS = "TLS"
    BUSY = "5 % SlowDown"


_BEFORE = {
    Way.NEAR: "",
    Way.FAR: "access_by_lua_block { ngx.sleep(0.03) }",
    Way.TLS: "",
    Way.BUSY: """access_by_lua_block {
      if ngx.req.get_method() == "GET" and math.random(20) == 1 then
        ngx.status = 503
        ngx.header["Content-Type"] = "application/xml"
        ngx.print("<Error><Code>SlowDown</Code><Message>Please reduce your request rate."
          .. "</Message></Error>")
        return ngx.exit(503)
      end
    }""",
}


@dataclass(frozen=True)
class Front:
    """A world that is served: the trail's ARN, and what a client needs in its environment."""

    arn: str
    environment: dict[Way, dict[str, str]]


@contextmanager
def fronted(make: Callable[[], World]) -> Iterator[Front]:
    """Serve the world that `make` makes until the block ends."""
    nginx, modules = find_nginx()
    # A spool in memory, where there is one: the disk is not what is measured.
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_certificates(folder)
        here, there = multiprocessing.Pipe()
        lab = multiprocessing.get_context("spawn").Process(
            target=_serve_lab, args=(make, folder, there)
        )
        lab.start()
        there.close()  # so that a lab that dies is heard of, instead of waited for
        try:
            environment, arn = here.recv()
            ports = {way: _free_port() for way in Way}
            text = _configuration(folder, modules, environment["AWS_ENDPOINT_URL"], ports)
            (folder / "nginx.conf").write_text(text)
            with _running(nginx, folder, ports[Way.NEAR]):
                yield Front(arn, {way: _reaching(way, environment, ports, folder) for way in Way})
        finally:
            here.send("enough")
            lab.join()


def find_nginx() -> tuple[str, Path]:
    """The program and the folder of its modules. Ends the run, saying what is missing."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if nginx is None:
        raise SystemExit(_MISSING)
    told = subprocess.run([nginx, "-V"], capture_output=True, text=True).stderr
    named = re.search(r"--modules-path=(\S+)", told)
    modules = Path(named[1] if named else "/usr/lib/nginx/modules")
    if not (modules / "ngx_http_lua_module.so").is_file():
        raise SystemExit(_MISSING)
    return nginx, modules


def _serve_lab(make: Callable[[], World], folder: Path, tell: Connection) -> None:
    world = make()
    _spool(world.objects, folder)
    with serve(world) as server:
        tell.send((server.environment, world.trails[0].arn))
        tell.recv()


def _spool(objects: Objects, folder: Path) -> None:
    """Every object as a file, and the signatures of digests as nginx reads them.

    Equal bodies are one file with many names.
    """
    made: dict[bytes, tuple[Path, int]] = {}
    root = folder / "objects"
    root.mkdir()
    with (folder / "signatures").open("w") as signatures:
        for (bucket, key), stored in objects.data.items():
            if key.endswith("/"):
                continue  # a folder's marker, which nobody reads
            path = root / bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            known, links = made.get(stored.body, (path, _MOST_LINKS))
            if links < _MOST_LINKS:
                path.hardlink_to(known)
                made[stored.body] = known, links + 1
            else:
                path.write_bytes(stored.body)
                made[stored.body] = path, 1
            if "signature" in stored.metadata:
                signatures.write(f'"/{bucket}/{key}" {stored.metadata["signature"]};\n')


def _reaching(
    way: Way, environment: dict[str, str], ports: dict[Way, int], folder: Path
) -> dict[str, str]:
    if way is not Way.TLS:
        return environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports[way]}"}
    return environment | {
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{ports[way]}",
        "AWS_CA_BUNDLE": str(folder / "authority.pem"),
    }


def _configuration(folder: Path, modules: Path, lab: str, ports: dict[Way, int]) -> str:
    servers = "".join(_server(way, port, folder) for way, port in ports.items())
    return f"""\
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type application/json;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 600;
  lingering_close off;
  client_body_buffer_size 64k;
  client_body_temp_path {folder}/bodies;
  proxy_temp_path {folder}/proxied;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/said keys_zone=said:64m inactive=10h use_temp_path=off;
  map_hash_max_size 1048576;
  map_hash_bucket_size 512;
  map $uri $signature {{ include {folder}/signatures; }}
  map $signature $algorithm {{ "" ""; default SHA256withRSA; }}
  map $http_authorization $scope {{ "~Credential=[^/]+/[0-9]+/(?<whose>[^/]+/[^/]+)/" $whose; }}
  upstream lab {{ server {lab.removeprefix("http://")}; keepalive 64; }}
{servers}}}
"""


def _server(way: Way, port: int, folder: Path) -> str:
    listen = f"listen 127.0.0.1:{port} backlog=4096{' ssl' * (way is Way.TLS)};"
    if way is Way.TLS:
        listen += f" ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;"
    return f"""\
  server {{
    {listen}
    {_BEFORE[way]}
    location / {{
      root {folder}/objects;
      etag off;
      add_header ETag '"{"0" * 32}"';
      add_header Content-Encoding gzip;
      add_header x-amz-request-id 0000000000000001;
      add_header x-amz-server-side-encryption AES256;
      add_header x-amz-meta-signature $signature;
      add_header x-amz-meta-signature-algorithm $algorithm;
      try_files $uri @lab;
    }}
    location @lab {{
      proxy_pass http://lab;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffers 64 64k;
      proxy_cache said;
      proxy_cache_methods GET HEAD POST;
      proxy_cache_convert_head off;
      proxy_cache_key "$request_method $request_uri $scope $http_x_amz_target $request_body";
      proxy_cache_valid any 10h;
      proxy_ignore_headers Expires Cache-Control Vary Set-Cookie;
    }}
  }}
"""


@contextmanager
def _running(nginx: str, folder: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        while process.poll() is None and not _answers(port):
            time.sleep(0.05)
        if process.poll() is not None:
            raise SystemExit(f"nginx ended with {process.returncode}")
        yield
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port
