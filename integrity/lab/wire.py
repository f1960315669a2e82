"""What crosses the lab's wire: a request as it was sent, an answer as it will be.

The shapes of AWS's three error formats are here too (S3's XML, JSON 1.1, Query XML), because
faults speak them for every service. Nothing here knows a world.

Source: AWS: S3 Error Responses; AWS JSON 1.1 and Query protocols of the Smithy documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
REQUEST_ID = "LAB0000000000001"
S3_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
# XML 1.0 knows no control characters; S3 writes them all the same, as references.
_CONTROLS = {code: f"&#x{code:x};" for code in (*range(9), 11, 12, *range(14, 32))}
_QUERY_PROTOCOL = frozenset({"sts", "ec2", "iam", "sns", "sqs", "cloudformation"})


@dataclass(slots=True)
class Request:
    """One HTTP request. `path` and `query` are as sent; header names are lower case.

    `region`, `service` and `access_key` come from the credential scope of the signature, which is
    not checked; they are empty for a request without one.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    access_key: str = ""
    region: str = ""
    service: str = ""

    @classmethod
    def received(
        cls, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Request:
        """The request for `target`, with what its Authorization header or its query signs."""
        path, _, query = target.partition("?")
        request = cls(method, path, query, headers, body)
        scope = _SCOPE.search(headers.get("authorization", ""))
        if scope is None and "X-Amz-Credential=" in query:
            presigned = parse_qs(query).get("X-Amz-Credential", [""])[0]
            scope = _SCOPE.search(f"Credential={presigned}")
        if scope is not None:
            request.access_key, request.region, request.service = scope.groups()
        return request

    @property
    def parameters(self) -> dict[str, str]:
        """The query string's parameters, the last of each name, blank ones too."""
        return {k: v[-1] for k, v in parse_qs(self.query, keep_blank_values=True).items()}

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """The two parts of a path-style S3 address, decoded; empty where they are missing."""
        bucket, _, key = self.path[1:].partition("/")
        return unquote(bucket), unquote(key)


@dataclass(slots=True)
class Response:
    """One HTTP answer. Content-Length is added when it is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def http_date(at: datetime) -> str:
    """A time as HTTP's headers write it."""
    return at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def xml_text(text: str) -> str:
    """`text` as S3 puts it between two tags."""
    return escape(text) if text.isprintable() else escape(text).translate(_CONTROLS)


def xml_response(text: str, status: int = 200) -> Response:
    """An answer in XML; `text` has no declaration yet."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return Response(status, body, {"Content-Type": "application/xml"})


def json_response(document: Mapping[str, Any], status: int = 200) -> Response:
    """An answer in AWS's JSON 1.1."""
    body = json.dumps(document).encode()
    return Response(status, body, {"Content-Type": "application/x-amz-json-1.1"})


def s3_error(
    status: int, code: str, message: str, *, resource: str = "", extra: str = ""
) -> Response:
    """An error as S3 words it; `extra` is XML that some codes carry besides."""
    return xml_response(
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>{extra}"
        f"<Resource>{escape(resource)}</Resource><RequestId>{REQUEST_ID}</RequestId>"
        f"<HostId>lab</HostId></Error>",
        status,
    )


def json_error(code: str, message: str, status: int = 400) -> Response:
    """An error in AWS's JSON 1.1."""
    response = json_response({"__type": code, "message": message}, status)
    response.headers["x-amzn-ErrorType"] = code
    return response


def query_error(code: str, message: str, status: int = 400) -> Response:
    """An error in AWS's Query protocol."""
    return xml_response(
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{escape(message)}</Message></Error><RequestId>{REQUEST_ID}</RequestId>"
        f"</ErrorResponse>",
        status,
    )


def ec2_error(code: str, message: str, status: int = 400) -> Response:
    """An error in EC2's dialect of the Query protocol."""
    return xml_response(
        f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message>"
        f"</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>",
        status,
    )


def error_for(service: str, status: int, code: str, message: str) -> Response:
    """An error in the format that a client of `service` reads."""
    if speaks(service) == "json":
        return json_error(code, message, status)
    if service == "ec2":
        return ec2_error(code, message, status)
    if speaks(service) == "query":
        return query_error(code, message, status)
    return s3_error(status, code, message)


def speaks(service: str) -> Literal["s3", "query", "json"]:
    """The protocol of a service, by its name in a signature."""
    if service in ("s3", ""):
        return "s3"
    return "query" if service in _QUERY_PROTOCOL else "json"
