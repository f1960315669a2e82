"""S3 as the world's readers meet it: objects, listings and buckets, with CloudTrail's own times.

Answers GetObject, HeadObject, ListObjects (both versions), HeadBucket, GetBucketLocation, object
versions, the bucket's settings and writes, for buckets of the world. Everything is read from
`World.objects` at the moment of asking.

Source: AWS: API_GetObject, API_ListObjects, API_ListObjectsV2, API_ListObjectVersions,
API_HeadBucket.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from integrity.lab.estate import LabBucket
from integrity.lab.objects import Address, StoredObject
from integrity.lab.s3_listings import KeyIndex, listing
from integrity.lab.s3_versions import list_versions
from integrity.lab.s3_writes import WRITES, write
from integrity.lab.wire import (
    S3_NAMESPACE,
    Request,
    Response,
    http_date,
    s3_error,
    xml_response,
)
from integrity.lab.world import World

# What a parameter of the query asks for, by method.
_SUBRESOURCES: dict[str, dict[str, str]] = {
    "location": {"GET": "GetBucketLocation"},
    "lifecycle": {"GET": "GetBucketLifecycleConfiguration"},
    "versioning": {"GET": "GetBucketVersioning"},
    "versions": {"GET": "ListObjectVersions"},
    "delete": {"POST": "DeleteObjects"},
    **{name: {} for name in ("acl", "policy", "tagging", "uploads", "uploadId", "object-lock")},
    **{name: {} for name in ("replication", "encryption", "logging", "publicAccessBlock")},
}
_VERBS = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete"}
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class S3Front:
    """Answers S3 requests from a world. The attributes are knobs:

    `page_size` bounds a listing's page; `strict_regions` answers a request that was signed for
    another region than the bucket's with a redirect; `hide_absent` answers 403 for an absent key,
    as S3 does to who may not list the bucket; `restored` are the addresses of archived objects that
    can be read for a while.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.page_size = 1000
        self.strict_regions = True
        self.hide_absent = False
        self.restored: set[Address] = set()
        self.index = KeyIndex(world.objects)

    @staticmethod
    def operation(request: Request, bucket: str, key: str) -> str:
        """The operation's name; METHOD and subresource for one that has no answer here."""
        method = request.method
        asked = request.parameters if request.query else {}
        for name in asked:
            if name in _SUBRESOURCES:
                return _SUBRESOURCES[name].get(method, f"{method} {name}")
        if not bucket:
            return "ListBuckets" if method == "GET" else method
        if not key and method == "GET":
            return "ListObjectsV2" if asked.get("list-type") == "2" else "ListObjects"
        if key and method == "PUT" and "x-amz-copy-source" in request.headers:
            return "CopyObject"
        noun = "Object" if key else "Bucket"
        if key and "versionId" in asked and method in ("GET", "HEAD", "DELETE"):
            return f"{_VERBS[method]}ObjectVersion"
        return f"{_VERBS[method]}{noun}" if method in _VERBS else method

    def list_buckets(self) -> Response:
        """The world's buckets, without dates of their own."""
        made = f"<CreationDate>{self.world.now:%Y-%m-%dT%H:%M:%S}.000Z</CreationDate>"
        shown = "".join(f"<Bucket><Name>{b}</Name>{made}</Bucket>" for b in self.world.buckets)
        return xml_response(
            f"<ListAllMyBucketsResult {S3_NAMESPACE}><Buckets>{shown}</Buckets>"
            "</ListAllMyBucketsResult>"
        )

    def answer(self, operation: str, request: Request, bucket: str, key: str) -> Response:
        """The answer to an operation that `operation` named, on a bucket of the world."""
        owner = request.headers.get("x-amz-expected-bucket-owner")
        about = self.world.buckets[bucket]
        if owner is not None and owner != about.owner:
            return s3_error(403, "AccessDenied", "Access Denied", resource=request.path)
        if operation == "GetBucketLocation":
            location = "" if about.region == "us-east-1" else about.region
            return xml_response(
                f"<LocationConstraint {S3_NAMESPACE}>{location}</LocationConstraint>"
            )
        if self.strict_regions and request.region not in (about.region, "*"):
            response = s3_error(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified "
                "endpoint. Please send all future requests to this endpoint.",
                extra=f"<Endpoint>{bucket}.s3.{about.region}.amazonaws.com</Endpoint>",
            )
            response.headers["x-amz-bucket-region"] = about.region
            return response
        if operation in ("GetObject", "HeadObject"):
            return self._object(request, bucket, key)
        if operation in ("GetObjectVersion", "HeadObjectVersion"):
            return self._version(request, bucket, key)
        if operation == "ListObjectVersions":
            return list_versions(
                self.world.objects, request.parameters, bucket, page_size=self.page_size
            )
        if operation in ("ListObjects", "ListObjectsV2"):
            shown = self.restored if "x-amz-optional-object-attributes" in request.headers else ()
            return listing(
                self.index, request.parameters, bucket, page_size=self.page_size, restored=shown
            )
        if operation == "HeadBucket":
            return Response(200, b"", {"x-amz-bucket-region": about.region})
        if operation in WRITES:
            return write(self.world, operation, request, bucket, key)
        return self._settings(operation, bucket)

    def _object(self, request: Request, bucket: str, key: str) -> Response:
        stored = self.world.objects.data.get((bucket, key))
        if stored is None:
            if self.hide_absent:
                return s3_error(403, "AccessDenied", "Access Denied", resource=request.path)
            absent = s3_error(
                404,
                "NoSuchKey",
                "The specified key does not exist.",
                extra=f"<Key>{escape(key)}</Key>",
            )
            if self.world.objects.history.get((bucket, key)):
                absent.headers["x-amz-delete-marker"] = "true"
            return absent
        history = self.world.objects.history.get((bucket, key))
        return self._show(request, bucket, key, stored, history[-1].version_id if history else "")

    def _version(self, request: Request, bucket: str, key: str) -> Response:
        version = self.world.objects.version_of((bucket, key), request.parameters["versionId"])
        if version is None:
            return s3_error(404, "NoSuchVersion", "The specified version does not exist.")
        if version.stored is None:
            return s3_error(405, "MethodNotAllowed", "The specified method is not allowed.")
        return self._show(request, bucket, key, version.stored, version.version_id)

    def _show(
        self, request: Request, bucket: str, key: str, stored: StoredObject, version_id: str
    ) -> Response:
        archived = stored.storage_class in _ARCHIVED and (bucket, key) not in self.restored
        if archived and request.method == "GET":
            return s3_error(
                403,
                "InvalidObjectState",
                "The operation is not valid for the object's storage class",
                extra=f"<StorageClass>{stored.storage_class}</StorageClass>",
            )
        encryption = _encryption_headers(stored, self.world.buckets[bucket])
        response = Response(200, stored.body, _object_headers(stored) | encryption)
        if version_id:
            response.headers["x-amz-version-id"] = version_id
        wanted = request.headers.get("range", "")
        if wanted.startswith("bytes="):
            return _ranged(response, wanted[6:])
        return response

    def _settings(self, operation: str, bucket: str) -> Response:
        if operation == "GetBucketVersioning":
            enabled = bucket in self.world.objects.versioned
            status = "<Status>Enabled</Status>" if enabled else ""
            return xml_response(
                f"<VersioningConfiguration {S3_NAMESPACE}>{status}</VersioningConfiguration>"
            )
        if operation != "GetBucketLifecycleConfiguration":
            return s3_error(501, "NotImplemented", f"The lab has no {operation}.")
        rules = self.world.buckets[bucket].expirations
        if not rules:
            return s3_error(
                404,
                "NoSuchLifecycleConfiguration",
                "The lifecycle configuration does not exist",
            )
        shown = "".join(
            f"<Rule><ID>{escape(rule.rule_id)}</ID>"
            f"<Filter><Prefix>{escape(rule.prefix)}</Prefix></Filter>"
            f"<Status>{'Enabled' if rule.enabled else 'Disabled'}</Status>"
            f"<Expiration><Days>{rule.days}</Days></Expiration></Rule>"
            for rule in rules
        )
        return xml_response(
            f"<LifecycleConfiguration {S3_NAMESPACE}>{shown}</LifecycleConfiguration>"
        )


def _object_headers(stored: StoredObject) -> dict[str, str]:
    headers = {
        "Last-Modified": http_date(stored.last_modified),
        "ETag": f'"{stored.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": stored.content_type,
    }
    if stored.content_encoding is not None:
        headers["Content-Encoding"] = stored.content_encoding
    if stored.storage_class != "STANDARD":
        headers["x-amz-storage-class"] = stored.storage_class
    for name, value in stored.metadata.items():
        headers[f"x-amz-meta-{name}"] = value
    return headers


def _encryption_headers(stored: StoredObject, bucket: LabBucket) -> dict[str, str]:
    key = stored.kms_key_id or bucket.kms_key_arn
    if key is None:
        return {"x-amz-server-side-encryption": "AES256"}
    headers = {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": key,
    }
    if bucket.bucket_key:
        headers["x-amz-server-side-encryption-bucket-key-enabled"] = "true"
    return headers


def _ranged(response: Response, wanted: str) -> Response:
    """The part of `response` that `wanted` ("0-99", "100-", "-5") asks for; 416 beyond the end."""
    size = len(response.body)
    first, _, last = wanted.partition("-")
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        return s3_error(416, "InvalidRange", "The requested range is not satisfiable")
    response.headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    response.status, response.body = 206, response.body[start : end + 1]
    return response
