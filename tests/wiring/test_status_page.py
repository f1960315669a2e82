"""The scheduler's page, asked over real sockets."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from typing import Any

import pytest

from integrity.errors import AccessError, UsageError
from integrity.report.standing import Standing
from integrity.wiring.status_page import StatusPage, serve_page
from tests.report.test_standing import known, standing, trail

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def port() -> int:
    return serve_page("127.0.0.1:0", lambda: standing(trail(known())))


def ask(port: int, path: str, method: str = "GET", host: str | None = None) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {} if host is None else {"Host": host}
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def test_the_page_and_the_document_are_served(port: int) -> None:
    status, headers, page = ask(port, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.startswith(b"<!DOCTYPE html>")
    status, headers, document = ask(port, "/status.json")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(document)["trails"][0]["chains"][0]["region"] == "us-east-1"


def test_nobody_keeps_it_frames_it_or_learns_what_serves_it(port: int) -> None:
    _, headers, _ = ask(port, "/")
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_head_has_no_body(port: int) -> None:
    status, headers, body = ask(port, "/", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 1000


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_can_be_read_and_no_more(port: int, method: str) -> None:
    assert ask(port, "/", method)[0] == 405


@pytest.mark.parametrize("path", ["/other", "/../etc/passwd", "/status.json/"])
def test_there_is_nothing_else(port: int, path: str) -> None:
    assert ask(port, path)[0] == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost:1", 200),
        ("[::1]:8080", 200),
        ("[::1]", 200),
        ("rebound.example.com", 421),
        ("10.0.0.1", 421),
        ("", 421),
    ],
)
def test_on_a_loopback_address_another_name_is_refused(port: int, host: str, status: int) -> None:
    """As a page of a stranger's would ask, whose name leads to 127.0.0.1 by now."""
    assert ask(port, "/status.json", host=host)[0] == status


def answered(page: StatusPage, **environ: Any) -> str:
    said: list[str] = []
    body = page(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/", **environ},
        lambda status, _: said.append(status),
    )
    assert b"".join(body)
    return said[0]


def test_elsewhere_every_name_will_do() -> None:
    page = StatusPage(lambda: standing(trail(known())), only_loopback=False)
    assert answered(page, HTTP_HOST="status.example.com") == "200 OK"


def test_a_store_that_does_not_answer_is_told() -> None:
    def read() -> Standing:
        raise AccessError("the table <gone>")

    page = StatusPage(read, only_loopback=False)
    assert answered(page) == "503 Service Unavailable"


def test_a_port_that_is_taken_is_a_mistake_of_the_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UsageError, match=r"status\.listen: nobody can listen at 127"):
            serve_page(place, lambda: standing())
