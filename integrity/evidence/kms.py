"""Signatures by a key that stays in AWS KMS: the digest goes there, the signature comes back.

Needs kms:Sign and kms:GetPublicKey on an asymmetric key for SIGN_VERIFY, of kind ECC_NIST_P256 or
RSA. What is signed is judged by nobody here. (AWS: KMS API Sign, MessageType DIGEST.)
"""

from __future__ import annotations

import hashlib
from typing import Any

from integrity.aws.refusal import REFUSALS, Call, explain
from integrity.errors import AccessError, UsageError
from integrity.evidence.signature import Algorithm, VerifyingKey, load_der_key

_ALGORITHMS = {
    Algorithm.ECDSA: "ECDSA_SHA_256",
    Algorithm.RSA: "RSASSA_PKCS1_V1_5_SHA_256",
}


class KmsSigner:
    """A key of KMS, by its id, ARN or alias, through a botocore client of KMS."""

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self.key_id, self.verifying_key = fetch_kms_key(client, key)
        if self.verifying_key.algorithm not in _ALGORITHMS:
            raise UsageError(
                f"the KMS key {key} is of a kind that does not sign here: expected ECC_NIST_P256 "
                "or RSA"
            )

    def sign(self, document: bytes) -> bytes:
        """The signature over a document. Raises AccessError where KMS refuses."""
        try:
            answer = self._client.sign(
                KeyId=self.key_id,
                Message=hashlib.sha256(document).digest(),
                MessageType="DIGEST",
                SigningAlgorithm=_ALGORITHMS[self.verifying_key.algorithm],
            )
        except REFUSALS as error:
            raise AccessError(explain(error, Call("kms:Sign", f"on {self.key_id}"))) from error
        signature: bytes = answer["Signature"]
        return signature


def fetch_kms_key(client: Any, key: str) -> tuple[str, VerifyingKey]:
    """The key's ARN and its public half. Raises UsageError for one that does not sign."""
    try:
        answer = client.get_public_key(KeyId=key)
    except REFUSALS as error:
        raise AccessError(explain(error, Call("kms:GetPublicKey", f"on {key}"))) from error
    if answer.get("KeyUsage") != "SIGN_VERIFY":
        raise UsageError(f"the KMS key {key} does not sign: make one with usage SIGN_VERIFY")
    return answer["KeyId"], load_der_key(answer["PublicKey"], f"the KMS key {key}")
