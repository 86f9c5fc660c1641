"""DSSE envelopes around in-toto statements, and the Ed25519 keys that sign them.

The home of `cryptography`. An envelope without a signature is not DSSE's idea of one, but ours:
it says what it is, and whoever asks for a signature is told that there is none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from harness.errors import StoreFault, UsageError
from harness.specialists.canonical import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
SUFFIX_OF_PUBLIC = ".pub"
_PRIVATE = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
_KEY_BYTES = 32
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Who signed, as 32 bytes in hexadecimal."""

    hex: str

    @property
    def keyid(self) -> str:
        """SHA-256 of the key's bytes."""
        return hashlib.sha256(bytes.fromhex(self.hex)).hexdigest()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; it is never shown."""

    _key: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.public.keyid[:16]}…)"

    @classmethod
    def of_bytes(cls, raw: bytes) -> SigningKey:
        """The key with these 32 secret bytes."""
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey(self._key.public_key().public_bytes(*_RAW).hex())

    def sign(self, data: bytes) -> bytes:
        """Ed25519 as in RFC 8032: the same data and key give the same signature."""
        return self._key.sign(data)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload and who signed it; nobody, where there are no signatures."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...] = ()
    """Key ids and signatures."""
    payload_type: str = PAYLOAD_TYPE


def generate(path: Path) -> SigningKey:
    """A new key at `path`, for its owner's eyes only, and its public half beside it.

    Raises UsageError when there is one already, StoreFault when it cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(*_PRIVATE, serialization.NoEncryption())
    if path.exists():
        raise UsageError(
            f"there is a key at {path}; what it signed could no longer be told from what another"
            " signed. Name another file with --key, or move this one away"
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_EXCL: of two that make a key here at once, one is told off
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secret)
        public_path(path).write_text(f"{SigningKey(key).public.hex}\n", encoding="ascii")
    except OSError as error:
        raise StoreFault(f"could not write the key {path}: {error.strerror or error}") from error
    return SigningKey(key)


def public_path(path: Path) -> Path:
    """Where the public half of a key is kept."""
    return path.with_name(path.name + SUFFIX_OF_PUBLIC)


def read_key(path: Path) -> SigningKey:
    """A private key; raises UsageError for one that others may read, or that is none."""
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise UsageError(
            f"no key at {path} ({error.strerror or error}); make one with: mint keygen"
        ) from error
    if mode & 0o077:
        raise UsageError(f"others may read the key {path}; chmod 600 {path}, or make a new one")
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        is_public = b"PUBLIC KEY-----" in data or is_key(data.decode(errors="replace").strip())
        said = "but a public one" if is_public else "in PEM without a password"
        raise UsageError(f"{path} is no private key {said}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is a key of another kind; only Ed25519 keys sign here")
    return SigningKey(key)


def read_public(text: str) -> PublicKey:
    """A public key: its 64 hexadecimal digits, or a file that holds them or is PEM.

    Raises UsageError, which says what it is instead.
    """
    said = text.strip()
    if is_key(said.lower()):
        return PublicKey(said.lower())
    if not os.path.isfile(said):  # noqa: PTH113  # Path raises for names that are too long
        raise UsageError(
            f"{text!r} is no public key: there is no such file, and {_no_digits(said)}"
        )
    path = Path(said)
    try:
        data = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"the public key {path} cannot be read: {error.strerror}") from error
    digits = data.decode(errors="replace").lower()
    if is_key(digits):
        return PublicKey(digits)
    if b"PRIVATE KEY-----" in data:
        raise UsageError(
            f"{path} is no public key but a private one, which signs and is shown to nobody;"
            f" give its public half, as mint keygen writes it: {public_path(path)}"
        )
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, Ed25519PublicKey):
        return PublicKey(key.public_bytes(*_RAW).hex())
    raise UsageError(
        f"{path} holds no public key: neither 64 hexadecimal digits nor an Ed25519 key in PEM"
    )


def _no_digits(said: str) -> str:
    if said and all(digit in _HEX for digit in said.lower()):
        return f"it has {len(said)} hexadecimal digits, and a key has {2 * _KEY_BYTES}"
    return f"it is not {2 * _KEY_BYTES} hexadecimal digits"


def is_key(text: object) -> bool:
    """Whether it is the hexadecimal spelling of a public key."""
    if not isinstance(text, str) or len(text) != 2 * _KEY_BYTES:
        return False
    return all(digit in _HEX for digit in text)


def pre_authentication(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """What is signed: DSSE's PAE, which keeps the type and the payload apart."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, key: SigningKey | None) -> Envelope:
    """The payload in an envelope, signed when there is a key."""
    if key is None:
        return Envelope(payload)
    return Envelope(payload, ((key.public.keyid, key.sign(pre_authentication(payload))),))


def envelope_text(envelope: Envelope) -> bytes:
    """The envelope's one spelling."""
    document = {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": envelope.payload_type,
        "signatures": [
            {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
            for keyid, signature in envelope.signatures
        ],
    }
    return canonical(document) + b"\n"


def read_envelope(data: bytes) -> Envelope:
    """An envelope; raises ValueError where it is not spelt as `envelope_text` spells it."""
    try:
        raw: Mapping[str, Any] = json.loads(data)
        envelope = Envelope(
            base64.b64decode(raw["payload"], validate=True),
            tuple(
                (str(each["keyid"]), base64.b64decode(each["sig"], validate=True))
                for each in raw["signatures"]
            ),
            raw["payloadType"],
        )
        spelt = envelope_text(envelope)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ValueError("not an envelope: no payload with its type and signatures") from error
    if spelt != data or envelope.payload_type != PAYLOAD_TYPE:
        raise ValueError("not an envelope as it is written here")
    return envelope


def holds(envelope: Envelope, key: PublicKey) -> bool:
    """Whether `key` signed this payload."""
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.hex))
    signed = pre_authentication(envelope.payload, envelope.payload_type)
    for keyid, signature in envelope.signatures:
        if keyid == key.keyid:
            try:
                public.verify(signature, signed)
            except InvalidSignature:
                return False
            return True
    return False
