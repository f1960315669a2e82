"""Verify a bundle with nothing of integrity: python verify_bundle.py FOLDER

Checks each digest file's signature, place and link, and the SHA-256 of the log files it names.
Needs `cryptography`. Compare keys.json with `aws cloudtrail list-public-keys`, and look for gaps.
"""

import gzip
import hashlib
import json
import sys
import zlib
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

folder, digests, asked, wrong = Path(sys.argv[1]).resolve(), {}, {}, []
said, keys = (json.loads((folder / name).read_bytes()) for name in ("manifest.json", "keys.json"))
wanted = said["asked"]
start, end = (datetime.fromisoformat(wanted[edge]) for edge in ("start", "end"))
ders = {hashlib.md5(der).hexdigest(): der for der in (b64decode(k["value"]) for k in keys["keys"])}
lines = map(json.loads, (folder / "objects.jsonl").read_bytes().splitlines())
held = {(line["bucket"], line["key"]): line for line in lines if line["kind"] == "file"}
BAD = OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, InvalidSignature, RuntimeError
ours = f"_{said['trail']['name']}_{said['trail']['home_region']}_"
todo = [(at, None) for at in sorted(held) if "/CloudTrail-Digest/" in at[1] and ours in at[1]]
for place, log_sha256 in todo:  # digest files; the log files of each come to the end of it
    try:
        path = (folder / held[place]["path"]).resolve().relative_to(folder)  # or it lies outside
        sha256 = hashlib.sha256(body := gzip.decompress((folder / path).read_bytes())).hexdigest()
        if log_sha256 is not None and log_sha256 != sha256:
            raise ValueError("was changed")
        if log_sha256 is not None:
            continue
        digest, signature = json.loads(body), held[place]["metadata"]["signature"]
        if (own := (digest["digestS3Bucket"], digest["digestS3Object"])) != place:
            raise ValueError("was moved")
        previous = digest["previousDigestSignature"] or "null"
        signed = "\n".join((digest["digestEndTime"], "/".join(own), sha256, previous)).encode()
        key = serialization.load_der_public_key(ders[digest["digestPublicKeyFingerprint"]])
        key.verify(bytes.fromhex(signature), signed, PKCS1v15(), hashes.SHA256())
        digests[place] = sha256, signature
        if start <= datetime.fromisoformat(digest["digestEndTime"]) <= end + timedelta(hours=1):
            asked[place] = digest  # the others are witnesses from beyond the time asked for
            logs = digest["logFiles"] if wanted["log_files"] else ()
            todo += [((log["s3Bucket"], log["s3Object"]), log["hashValue"]) for log in logs]
    except BAD as error:
        wrong.append(f"{'/'.join(place)!a}: {type(error).__name__} {error}")
for place, digest in asked.items():
    before = digest["previousDigestS3Bucket"], digest["previousDigestS3Object"]
    stated = digest["previousDigestHashValue"], digest["previousDigestSignature"]
    is_due = before[1] and datetime.fromisoformat(digest["digestStartTime"]) >= start
    if digests.get(before, stated) != stated or (is_due and before not in held):
        wrong.append(f"{'/'.join(place)!a}: the one before it, {before[1]}, is missing or another")
print("asked for", ascii(wanted))
print(*wrong, f"{len(digests)} digests signed; {len(todo)} files; {len(wrong)} flaws", sep="\n")
sys.exit(1 if wrong else 0 if asked and wanted["log_files"] else 3)
