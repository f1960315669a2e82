"""What CloudTrail really wrote, as others have published it; each fact names its public origin.

No complete vector is public: whoever published a digest left out its key or its signature, or
changed the account that is signed. So keys, signatures, names and documents are checked each by
themselves.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

_FACTS = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Key:
    """An answer of ListPublicKeys. `form` is how its DER is made."""

    origin: str
    form: str
    fingerprint: str
    der: bytes


@dataclass(frozen=True)
class Signature:
    """A signature that opens under a published key, to the hash of a string that nobody has."""

    origin: str
    fingerprint: str
    sha256_of_signed_string: str
    signature: str


@dataclass(frozen=True)
class Document:
    """A digest's inflated bytes, as far as they were published."""

    origin: str
    log_files: int
    starting: bool
    body: bytes


KEYS = [
    Key(key["origin"], key["form"], key["fingerprint"], base64.b64decode(key["der"]))
    for key in _FACTS["keys"]
]
SIGNATURES = [Signature(**signature) for signature in _FACTS["signatures"]]
ORPHANED_SIGNATURES: list[str] = [
    orphan["signature"] for orphan in _FACTS["signatures_that_open_under_no_published_key"]
]
DOCUMENTS = [
    Document(**(document | {"body": document["body"].encode()})) for document in _FACTS["digests"]
]
