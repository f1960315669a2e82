"""What a client may do to the world's objects by hand: put, copy and delete them.

So that an attack can also be made with the AWS CLI. What is written is last modified at the
world's now. No multipart upload: what CloudTrail writes is small.

Source: AWS: API_PutObject, API_CopyObject, API_DeleteObject, API_DeleteObjects.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote
from xml.sax.saxutils import escape, unescape

from integrity.lab.objects import StoredObject
from integrity.lab.wire import S3_NAMESPACE, Request, Response, s3_error, xml_response
from integrity.lab.world import World

WRITES = frozenset(
    {"PutObject", "CopyObject", "DeleteObject", "DeleteObjects", "DeleteObjectVersion"}
)
_META = "x-amz-meta-"
_KMS = "x-amz-server-side-encryption-aws-kms-key-id"


def write(world: World, operation: str, request: Request, bucket: str, key: str) -> Response:
    """Do one of `WRITES` and answer it."""
    if operation == "DeleteObject":
        world.objects.pop((bucket, key), None)
        return Response(204)
    if operation == "DeleteObjectVersion":
        world.objects.delete_version((bucket, key), request.parameters["versionId"])
        return Response(204)
    if operation == "DeleteObjects":
        return _delete_all(world, request, bucket)
    if operation == "CopyObject":
        return _copy(world, request, bucket, key)
    encoding = request.headers.get("content-encoding", "").replace("aws-chunked", "").strip(", ")
    world.objects[bucket, key] = StoredObject(
        body=_unchunked(request),
        last_modified=world.now,
        metadata=_metadata(request),
        content_type=request.headers.get("content-type", "binary/octet-stream"),
        content_encoding=encoding or None,
        storage_class=request.headers.get("x-amz-storage-class", "STANDARD"),
        kms_key_id=request.headers.get(_KMS),
    )
    return Response(200, headers={"ETag": f'"{world.objects[bucket, key].etag}"'})


def _metadata(request: Request) -> dict[str, str]:
    return {k.removeprefix(_META): v for k, v in request.headers.items() if k.startswith(_META)}


def _unchunked(request: Request) -> bytes:
    """The body without the frames of the `aws-chunked` encoding, if it has them."""
    if "x-amz-decoded-content-length" not in request.headers:
        return request.body
    parts: list[bytes] = []
    rest = request.body
    while rest:
        header, _, rest = rest.partition(b"\r\n")
        size = int(header.partition(b";")[0], 16)
        if size == 0:
            break
        parts.append(rest[:size])
        rest = rest[size + 2 :]
    return b"".join(parts)


def _copy(world: World, request: Request, bucket: str, key: str) -> Response:
    source, _, asked = request.headers["x-amz-copy-source"].partition("?versionId=")
    source_bucket, _, source_key = unquote(source).lstrip("/").partition("/")
    address = (source_bucket, source_key)
    stored = world.objects.get(address)
    if asked:
        version = world.objects.version_of(address, asked)
        stored = version.stored if version is not None else None
    if stored is None:
        return s3_error(404, "NoSuchKey", "The specified key does not exist.")
    copy = replace(
        stored,
        last_modified=world.now,
        storage_class=request.headers.get("x-amz-storage-class", "STANDARD"),
        kms_key_id=request.headers.get(_KMS),
    )
    if request.headers.get("x-amz-metadata-directive") == "REPLACE":
        copy = replace(copy, metadata=_metadata(request))
    world.objects[bucket, key] = copy
    return xml_response(
        f"<CopyObjectResult {S3_NAMESPACE}><ETag>&quot;{copy.etag}&quot;</ETag>"
        f"<LastModified>{world.now:%Y-%m-%dT%H:%M:%S}.000Z</LastModified></CopyObjectResult>"
    )


def _delete_all(world: World, request: Request, bucket: str) -> Response:
    keys = [unescape(key) for key in re.findall(r"<Key>(.*?)</Key>", request.body.decode(), re.S)]
    for key in keys:
        world.objects.pop((bucket, key), None)
    shown = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
    return xml_response(f"<DeleteResult {S3_NAMESPACE}>{shown}</DeleteResult>")
