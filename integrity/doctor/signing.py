"""Whether records can be signed: the key is opened, and signs a text that is no record.

The signature is held against the key's public half, and let go. What KMS refuses is told with the
statement that would grant it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from integrity.aws.refusal import REFUSALS
from integrity.doctor.asking import Asker, Need, Refused
from integrity.doctor.check import Check, Fault, failed, misconfigured, passed, skipped
from integrity.errors import AccessError, UsageError
from integrity.evidence.kms import KmsSigner
from integrity.evidence.signature import Signer, sign_document

T = TypeVar("T")

TRIAL = b"Signed by `integrity doctor` to see whether records can be signed. No record.\n"
"""What is signed, and kept nowhere."""

_GET, _SIGN = "kms:GetPublicKey", "kms:Sign"
_NO_KEY = "NotFoundException"


def try_signer(signer: Signer, now: datetime) -> str:
    """What it signs with. Raises as the signer does, or where it signs wrongly."""
    sign_document(TRIAL, signer, now)
    return f"a text that is no record was signed, by {signer.verifying_key.algorithm}"


def examine_kms_key(asker: Asker, client: Any, key: str, now: datetime) -> Iterator[Check]:
    """A key of KMS by its id, ARN or alias: its public half, and a signature."""
    try:
        signer = _ask(asker, _need(asker, client, _GET, key), partial(KmsSigner, client, key))
    except UsageError as error:
        yield misconfigured("records.sign", key, str(error), "name a key that signs, or none")
        return
    if isinstance(signer, Refused):
        if signer.code == _NO_KEY:
            yield misconfigured(
                _GET,
                key,
                f"there is no such key in {client.meta.region_name}",
                "set records.sign to the key's ARN, after kms:",
            )
            return
        yield signer.check(_GET, key)
        why = f"it takes {_GET} to know how the key signs"
        yield skipped(_SIGN, key, why, fault=Fault.ACCESS)
        return
    yield passed(_GET, signer.key_id, "the public half of the key that signs records")
    try:
        signed = _ask(asker, _need(asker, client, _SIGN, key), partial(try_signer, signer, now))
    except AccessError as error:
        yield failed(_SIGN, signer.key_id, str(error))
        return
    if isinstance(signed, Refused):
        yield signed.check(_SIGN, signer.key_id)
    else:
        yield passed(_SIGN, signer.key_id, signed)


def _ask(asker: Asker, need: Need, question: Callable[[], T]) -> T | Refused:
    return asker.ask(need, partial(_unworded, question))


def _unworded(question: Callable[[], T]) -> T:
    """A signer puts a refusal into words; who examines wants it as it came."""
    try:
        return question()
    except AccessError as error:
        if isinstance(error.__cause__, REFUSALS):
            raise error.__cause__ from None
        raise


def _need(asker: Asker, client: Any, action: str, key: str) -> Need:
    """A policy names keys by their ARNs, and those behind an alias by a condition."""
    region = client.meta.region_name
    own = f"arn:{asker.aws.partition(region)}:kms:{region}:{asker.account_id}:"
    named = key if key.startswith("alias/") else f"key/{key}"
    arn = key if key.startswith("arn:") else own + named
    home, alias, name = arn.partition(":alias/")
    if not alias:
        return Need(action, arn)
    aliases = {"kms:ResourceAliases": f"alias/{name}"}
    return Need(action, f"{home}:key/*", {"ForAnyValue:StringEquals": aliases})
