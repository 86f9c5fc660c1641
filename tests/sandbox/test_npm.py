"""Archives of a registry are data from elsewhere until their digest says otherwise."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from harness.errors import MintmarkError, SandboxFault, UsageError
from harness.sandbox import npm
from harness.sandbox.npm import Registry, expected, repack
from tests.sandbox.npm_registry import (
    METADATA,
    SCRIPT,
    TARBALL,
    archive,
    integrity,
    metadata,
    package,
    registry,
)

DATA = package()


def fetched(url: str, data: bytes = DATA) -> bytes:
    file = io.BytesIO()
    Registry(url).fetch(archive(data), file, lambda _text: None)
    return file.getvalue()


def test_an_archive_is_fetched_from_where_registries_have_it() -> None:
    with registry({TARBALL: DATA}) as served:
        assert fetched(f"{served.url}/") == DATA
    assert served.asked == [TARBALL]


@pytest.mark.parametrize(
    ("files", "announced", "kind", "words"),
    [
        ({}, 0, UsageError, "has no @some/cli@1.2.3"),
        ({TARBALL: 503}, 0, SandboxFault, "answered 503 for @some/cli@1.2.3"),
        ({TARBALL: DATA}, 9, SandboxFault, "broke off after|IncompleteRead"),
        ({TARBALL: package({"bin/cli": b"evil"})}, 0, UsageError, "something else than what is pi"),
    ],
    ids=["unknown", "failing", "cut", "other bytes"],
)
def test_a_registry_that_does_not_give_it_is_told_apart(
    files: dict[str, bytes | int], announced: int, kind: type[MintmarkError], words: str
) -> None:
    with registry(files, announced) as served, pytest.raises(kind, match=words):
        fetched(served.url)


def test_without_a_network_the_message_says_what_to_see_to() -> None:
    with registry({}) as served:
        url = served.url
    with pytest.raises(SandboxFault, match=r"Connection refused; see to the network \(HTTPS_PROXY"):
        fetched(url)


def test_progress_is_told_while_it_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm, "PROGRESS_S", -1)
    told: list[str] = []
    with registry({TARBALL: DATA}) as served:
        Registry(served.url).fetch(archive(DATA), io.BytesIO(), told.append)
    assert told == ["@some/cli@1.2.3: 0 of 0 MiB"]


def test_the_integrity_of_a_version_is_looked_up() -> None:
    with registry({METADATA: metadata(integrity(DATA))}) as served:
        assert Registry(served.url).integrity(archive(DATA)) == integrity(DATA)


@pytest.mark.parametrize("said", [None, 3, "sha1-abc", "sha512-", "sha512-!!", "sha512-aGk="])
def test_metadata_without_a_strong_digest_is_refused(said: object) -> None:
    assert not expected(str(said))
    with (
        registry({METADATA: metadata(said)}) as served,
        pytest.raises(SandboxFault, match="names no sha512 of"),
    ):
        Registry(served.url).integrity(archive(DATA))


@pytest.mark.parametrize("text", [b"[]", b"no json", b"{}"])
def test_metadata_that_is_none_is_refused(text: bytes) -> None:
    with registry({METADATA: text}) as served, pytest.raises(SandboxFault):
        Registry(served.url).integrity(archive(DATA))


def repacked(data: bytes) -> tarfile.TarFile:
    plain = io.BytesIO()
    repack(archive(data), io.BytesIO(data), plain, "some-cli")
    plain.seek(0)
    return tarfile.open(fileobj=plain, mode="r:")


def test_the_unpacked_files_belong_to_nobody_and_a_link_leads_to_the_program() -> None:
    with repacked(DATA) as tar:
        members = {m.name: m for m in tar}
        file = tar.extractfile(members["package/bin/cli"])
        assert file is not None
        with file:
            assert file.read() == SCRIPT
    assert set(members) == {"package/bin/cli", "package/README.md", "bin/some-cli"}
    assert members["package/bin/cli"].mode == 0o755
    assert members["package/README.md"].mode == 0o644
    assert {(m.uid, m.gid) for m in members.values()} == {(0, 0)}
    assert members["bin/some-cli"].linkname == "../package/bin/cli"


def odd(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    "member",
    [
        odd("package/../../etc/x"),
        odd("/etc/x"),
        odd("x"),
        odd("package/link", tarfile.SYMTYPE, "/etc/passwd"),
        odd("package/hard", tarfile.LNKTYPE, "package/bin/cli"),
        odd("package/pipe", tarfile.FIFOTYPE),
        odd("package/device", tarfile.CHRTYPE),
    ],
    ids=lambda member: member.name,
)
def test_anything_but_a_plain_file_within_the_package_is_refused(member: tarfile.TarInfo) -> None:
    data = package(None, member)
    with pytest.raises(SandboxFault, match="which is no plain file"):
        repacked(data).close()


def test_an_archive_that_lacks_the_program_is_refused() -> None:
    with pytest.raises(SandboxFault, match="holds no 'bin/cli'"):
        repacked(package({"bin/other": b""})).close()


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_UNPACKED_BYTES"])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(npm, limit, 3)
    many = package({f"bin/{name}": b"xx" for name in ("cli", "a", "b", "c", "d")})
    with pytest.raises(SandboxFault, match="unpacks to more than"):
        repacked(many).close()


def test_an_archive_larger_than_any_program_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(npm, "MAX_ARCHIVE_BYTES", 10)
    with registry({TARBALL: DATA}) as served, pytest.raises(SandboxFault, match="is larger than"):
        fetched(served.url)


@pytest.mark.parametrize("break_it", [lambda d: d[:40], lambda _: b"x" * 500, lambda _: b""])
def test_an_archive_that_is_broken_is_a_fault(break_it: Callable[[bytes], bytes]) -> None:
    with pytest.raises(SandboxFault):
        repacked(break_it(DATA)).close()
