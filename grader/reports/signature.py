"""An Ed25519 signature beside a report: who holds the private key stands for every byte of what the report says.

It is over the canonical record with a prefix that nothing else of ours is signed with, so that indenting a report anew
breaks nothing, and a signature made for something else is none. The file beside `x.json` is `x.json.sig`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from grader.atomic import write_text
from grader.errors import UsageError
from grader.model import Json
from grader.reports.as_json import canonical, read_stored

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM: Final = "Ed25519"
_PREFIX: Final = b"ml-interview-grader report 1\n"
_MAX_BYTES: Final = 64 * 1024
_HINT: Final = "openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out pub.pem"


def signature_path(report: Path) -> Path:
    """Where the signature of a report lies."""
    return report.with_name(f"{report.name}.sig")


def load_private(path: Path) -> Ed25519PrivateKey:
    """The key of a PEM file; one with a passphrase asks for SIGN_PASSPHRASE. Raises UsageError."""
    serialization = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    passphrase = os.environ.get("SIGN_PASSPHRASE")
    try:
        key = serialization.load_pem_private_key(_read(path), passphrase.encode() if passphrase else None)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} is no private key that can be read", hint=_HINT) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is not an Ed25519 key", hint=_HINT)
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """The public key of a PEM file. Raises UsageError."""
    serialization = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = serialization.load_pem_public_key(_read(path))
    except ValueError as error:
        raise UsageError(f"{path} is no public key that can be read", hint=_HINT) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} is not an Ed25519 key", hint=_HINT)
    return key


def sign(report: Path, key: Ed25519PrivateKey) -> Path:
    """Signs a written report and gives the signature's path. Raises UsageError where it cannot be written."""
    signature = key.sign(_PREFIX + canonical(read_stored(report)))
    row = {
        "algorithm": ALGORITHM,
        "key": fingerprint(key.public_key()),
        "signature": base64.b64encode(signature).decode(),
    }
    path = signature_path(report)
    write_text(path, json.dumps(row, indent=2) + "\n")
    return path


def sign_missing(reports: Sequence[Path], key: Ed25519PrivateKey) -> int:
    """Signs those reports that have no good signature by this key; gives their number. Raises UsageError."""
    public = key.public_key()
    unsigned = [path for path in reports if problem_of(path, read_stored(path), public)]
    for path in unsigned:
        sign(path, key)
    return len(unsigned)


def problem_of(report: Path, record: Json, key: Ed25519PublicKey) -> str:
    """Why the report is not signed with that key; "" where it is."""
    from cryptography.exceptions import InvalidSignature

    path = signature_path(report)
    if not path.is_file():
        return "the report is not signed"
    try:
        row = json.loads(_read(path))
        signature = base64.b64decode(row["signature"], validate=True)
        known = row["algorithm"] == ALGORITHM
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"{path.name} is no signature"
    if not known:
        return f"{path.name} is of another kind than {ALGORITHM}"
    if row.get("key") != fingerprint(key):
        return "the report is signed with another key"
    try:
        key.verify(signature, _PREFIX + canonical(record))
    except InvalidSignature:
        return "the signature is not of this report"
    return ""


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 (hex) over the raw public key."""
    return sha256(key.public_bytes_raw()).hexdigest()


def _library() -> ModuleType:
    """Cryptography's module for keys. Raises UsageError without the extra `sign`."""
    try:
        from cryptography.hazmat.primitives import serialization
    except ModuleNotFoundError as error:
        message = "signatures need the extra `sign`"
        raise UsageError(message, hint="pip install 'ml-interview-grader[sign]'") from error
    return serialization


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
