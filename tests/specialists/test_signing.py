from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from harness.errors import StoreFault, UsageError
from harness.specialists.signing import (
    Envelope,
    SigningKey,
    envelope_text,
    generate,
    holds,
    pre_authentication,
    public_path,
    read_envelope,
    read_key,
    read_public,
    seal,
)

VECTOR_KEY = SigningKey.of_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
VECTOR_PAYLOAD = (
    b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":'
    b'"https://example.test/eval-run/v1","subject":[{"digest":{"sha256":'
    b'"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"name":"bundle"}]}'
)
OTHER = SigningKey.of_bytes(bytes(32))


def test_an_envelope_is_signed_as_the_vector_is() -> None:
    document = json.loads(envelope_text(seal(VECTOR_PAYLOAD, VECTOR_KEY)))

    assert VECTOR_KEY.public.hex == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
    assert document["signatures"][0]["sig"] == (
        "dYl3nhOODPKSqQF45Okxe+EVEdmUbWUF5W79Qjt7JbXW3vTDVQBrNDqYmdl/oq38WiQJ6O1o7gQm7sLzYzHqBQ=="
    )
    assert document["payload"].startswith("eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQv")
    assert document["payloadType"] == "application/vnd.in-toto+json"
    assert (
        pre_authentication(VECTOR_PAYLOAD)
        .hex()
        .startswith(
            "445353457631203238206170706c69636174696f6e2f766e642e696e2d746f746f2b6a736f6e20323236207b22"
        )
    )


def test_a_signature_holds_for_its_key_and_its_payload_only() -> None:
    envelope = seal(b"words", VECTOR_KEY)

    assert holds(envelope, VECTOR_KEY.public)
    assert not holds(envelope, OTHER.public)
    assert not holds(replace(envelope, payload=b"other words"), VECTOR_KEY.public)
    assert not holds(replace(envelope, payload_type="text/plain"), VECTOR_KEY.public)
    assert not holds(Envelope(b"words"), VECTOR_KEY.public)
    borrowed = replace(envelope, signatures=((OTHER.public.keyid, envelope.signatures[0][1]),))
    assert not holds(borrowed, OTHER.public)


def test_an_envelope_is_read_as_it_was_written() -> None:
    for envelope in (seal(b"words", VECTOR_KEY), seal(b"words", None)):
        assert read_envelope(envelope_text(envelope)) == envelope


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payload":"d29yZHM=","payloadType":"application/vnd.in-toto+json","signatures":[{}]}\n',
        b'{"payload":"d29yZHM","payloadType":"application/vnd.in-toto+json","signatures":[]}\n',
        b'{"payload": "d29yZHM=","payloadType":"application/vnd.in-toto+json","signatures":[]}\n',
        b'{"payload":"d29yZHM=","payloadType":"application/vnd.in-toto+json","signatures":[],"x":1}\n',
        b'{"payload":"d29yZHM=","payloadType":"application/json","signatures":[]}\n',
        b"\xff",
    ],
)
def test_what_is_no_envelope_or_is_spelt_otherwise_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="envelope"):
        read_envelope(text)


def test_a_new_key_is_for_its_owner_only_and_its_public_half_for_everyone(tmp_path: Path) -> None:
    path = tmp_path / "config" / "mint.key"
    before = os.umask(0)
    try:
        made = generate(path)
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_key(path).public == made.public == read_public(str(public_path(path)))
    assert read_public(made.public.hex) == made.public
    assert path.read_text().splitlines()[1] not in repr(made)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mint.key"
    made = generate(path)

    with pytest.raises(UsageError, match="there is a key at"):
        generate(path)

    assert read_key(path).public == made.public


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "mint.key"
    generate(path)
    path.chmod(0o640)

    with pytest.raises(UsageError, match="chmod 600"):
        read_key(path)


def test_a_key_of_another_kind_or_none_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "mint.key"
    path.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path.chmod(0o600)
    with pytest.raises(UsageError, match="only Ed25519 keys"):
        read_key(path)
    path.write_text("not a key")
    with pytest.raises(UsageError, match="no private key"):
        read_key(path)
    with pytest.raises(UsageError, match="mint keygen"):
        read_key(tmp_path / "nowhere")


def test_a_key_that_cannot_be_written_is_a_fault_of_the_world(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreFault, match="could not write the key"):
        generate(tmp_path / "file" / "mint.key")


def test_what_is_given_for_a_public_key_is_told_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mint.key"
    made = generate(path)
    folder = str(tmp_path)
    (tmp_path / "words").write_text("not a key")

    for text, said in (
        (str(path), f"a private one, which signs .* {path}.pub"),
        (
            str(tmp_path / "mint.kye.pub"),
            "there is no such file, and it is not 64 hexadecimal digits",
        ),
        (folder, "there is no such file, and it is not 64 hexadecimal digits"),
        ("x" * 5000, "there is no such file, and it is not 64 hexadecimal digits"),
        ("\0", "there is no such file, and it is not 64 hexadecimal digits"),
        (made.public.hex[:-1], "it has 63 hexadecimal digits, and a key has 64"),
        (str(tmp_path / "words"), "neither 64 hexadecimal digits nor an Ed25519 key in PEM"),
    ):
        with pytest.raises(UsageError, match=said):
            read_public(text)
    assert read_public(made.public.hex.upper()) == made.public


def test_a_public_key_does_not_sign(tmp_path: Path) -> None:
    generate(tmp_path / "mint.key")
    public = public_path(tmp_path / "mint.key")
    public.chmod(0o600)

    with pytest.raises(UsageError, match="no private key but a public one"):
        read_key(public)


def test_a_public_key_is_read_from_pem_and_nothing_else_is_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "mint.key"
    made = generate(path)
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    pem = tmp_path / "pub.pem"
    pem.write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )

    assert read_public(str(pem)) == made.public
    for text in ("abc", made.public.hex[:-1], str(path), "-----BEGIN PUBLIC KEY-----\nx"):
        with pytest.raises(UsageError, match="no public key"):
            read_public(text)
