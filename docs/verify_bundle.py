"""Verify a bundle of `integrity bundle` with nothing of integrity: python verify_bundle.py FOLDER

Checks every digest file's signature and place, its link to the one before, and the SHA-256 of the
log files that it names. Compare keys.json with `aws cloudtrail list-public-keys` yourself.
Needs Python 3.11 and `cryptography`; of another trail's files it says nothing.
"""

import base64
import gzip
import hashlib
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

folder = Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_bytes())
asked, trail = manifest["asked"], manifest["trail"]
start = datetime.fromisoformat(asked["start"])
end = datetime.fromisoformat(asked["end"]) + timedelta(hours=1)
keys = {key["fingerprint"]: key for key in json.loads((folder / "keys.json").read_bytes())["keys"]}
lines = [json.loads(line) for line in (folder / "objects.jsonl").read_bytes().splitlines()]
held = {(line["bucket"], line["key"]): line for line in lines if line["kind"] == "file"}
digests, wrong, logs = {}, [], set()


def read(place):
    """The inflated content of an object."""
    path = (folder / held[place]["path"]).resolve()
    assert path.is_relative_to(folder.resolve()), "lies outside of the bundle"
    return gzip.decompress(path.read_bytes())


def check(place):
    """A digest file that CloudTrail signed for this place, its SHA-256 and its signature."""
    body = read(place)
    digest, sha256 = json.loads(body), hashlib.sha256(body).hexdigest()
    der = base64.b64decode(keys[digest["digestPublicKeyFingerprint"]]["value"])
    assert hashlib.md5(der).hexdigest() == digest["digestPublicKeyFingerprint"], "wrong key"
    assert (digest["digestS3Bucket"], digest["digestS3Object"]) == place, "was moved"
    previous = digest["previousDigestSignature"] or "null"
    signed = "\n".join((digest["digestEndTime"], "/".join(place), sha256, previous)).encode()
    signature = held[place]["metadata"]["signature"]
    load_der_public_key(der).verify(bytes.fromhex(signature), signed, PKCS1v15(), SHA256())
    return digest, sha256, signature


FAULTS = (OSError, EOFError, ValueError, KeyError, AssertionError, InvalidSignature)
ours = f"_{trail['name']}_{trail['home_region']}_"
for place in sorted(at for at in held if "/CloudTrail-Digest/" in at[1] and ours in at[1]):
    try:
        digests[place] = check(place)
    except FAULTS as error:
        wrong.append(f"digest file {'/'.join(place)}: {type(error).__name__} {error}")
for place, (digest, _, _) in digests.items():
    if not start <= datetime.fromisoformat(digest["digestEndTime"]) <= end:
        continue  # a witness from beyond the time that was asked for
    before = digest["previousDigestS3Bucket"], digest["previousDigestS3Object"]
    stated = digest["previousDigestHashValue"], digest["previousDigestSignature"]
    if before in digests and digests[before][1:] != stated:
        wrong.append(f"digest file {'/'.join(place)}: it names another predecessor")
    begins = datetime.fromisoformat(digest["digestStartTime"])
    if before[1] and before not in held and begins >= start:
        wrong.append(f"digest file {'/'.join(before)}: it is named, and not there")
    for log in digest["logFiles"] if asked["log_files"] else ():
        logs.add(file := (log["s3Bucket"], log["s3Object"]))
        try:
            assert hashlib.sha256(read(file)).hexdigest() == log["hashValue"], "was changed"
        except FAULTS as error:
            wrong.append(f"log file {'/'.join(file)}: {type(error).__name__} {error}")
told = f"{len(digests)} digest files signed, {len(logs)} log files named; {len(wrong)} flaws"
print(*wrong, told, "gaps between digest files, and their ends, are yours to look at", sep="\n")
sys.exit(1 if wrong else 0 if digests else 3)
