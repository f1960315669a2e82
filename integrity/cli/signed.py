"""`--sign`: the key that is asked for, and the detached file beside what was written.

The key is opened before anything else is done: a wrong passphrase is no end of a night's run.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrity.cli.output import open_output
from integrity.errors import UsageError

if TYPE_CHECKING:
    from integrity.aws.session import Aws
    from integrity.evidence.signature import Signer
    from integrity.wiring import Access

sign_option = click.option(
    "--sign",
    metavar="FILE.pem|kms:KEY",
    help="Sign what is written with this private key; the signature goes beside it (.sig).",
)


def open_seal(key: str | None, access: Access) -> Seal | None:
    """The key, where one is given. Raises UsageError where it is none."""
    if key is None:
        return None
    from integrity.wiring.signing import open_signer

    def open_aws() -> Aws:
        return access.recipe(None).open()

    return Seal(open_signer(key, os.environ, open_aws))


class Seal:
    """What signs a file."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, path: Path, document: bytes, now: datetime) -> None:
        """Write the signature of a document, which lies at `path`."""
        from integrity.evidence.signature import sign_document

        signature = sign_document(document, self._signer, now)
        with open_output(signature_path(path)) as output:
            output.write(signature)


def signature_path(path: Path) -> Path:
    """Where the signature of a file lies."""
    return path.with_name(f"{path.name}.sig")


def refuse_unsigned(output: Path | None, sign: str | None, format_: str) -> None:
    """Raises UsageError where there would be nothing to sign, or an old signature would be left."""
    if sign is not None and (output is None or format_ != "json"):
        raise UsageError("--sign signs a record: add --format json and --output FILE")
    if sign is None and output is not None and _is_signed(output):
        raise UsageError(
            f"{str(signature_path(output))!r} is the signature of what {str(output)!r} is now: "
            "add --sign, remove it, or choose another --output"
        )


def _is_signed(output: Path) -> bool:
    try:
        return signature_path(output).exists()
    except OSError:  # whoever opens the file itself says what is wrong with its name
        return False
