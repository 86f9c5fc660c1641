"""The file of keys: what may stand in it, and what is never said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BadFile, UsageError
from harness.load.keys import read_keys

KEY = "sk-canary-0123456789"


def _write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "keys.env"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_no_file_is_no_keys(tmp_path: Path) -> None:
    assert read_keys(None) == {}
    assert read_keys(tmp_path / "missing") == {}


@pytest.mark.parametrize(
    "line",
    [
        f"ANTHROPIC_API_KEY={KEY}",
        f"  ANTHROPIC_API_KEY = {KEY}  ",
        f"export ANTHROPIC_API_KEY={KEY}",
        f'ANTHROPIC_API_KEY="{KEY}"',
        f"export ANTHROPIC_API_KEY='{KEY}'",
        f"# a comment\n\n\nANTHROPIC_API_KEY={KEY}\n# another",
        f"ANTHROPIC_API_KEY=old\nANTHROPIC_API_KEY={KEY}",
        f"\ufeffANTHROPIC_API_KEY={KEY}\r\n",
    ],
)
def test_a_line_may_be_written_as_shells_like(tmp_path: Path, line: str) -> None:
    assert read_keys(_write(tmp_path, line)) == {"ANTHROPIC_API_KEY": KEY}


def test_a_key_may_hold_an_equals_sign(tmp_path: Path) -> None:
    assert read_keys(_write(tmp_path, "OPENAI_API_KEY=a=b=")) == {"OPENAI_API_KEY": "a=b="}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_file_that_others_may_open_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = _write(tmp_path, f"OPENAI_API_KEY={KEY}", mode)
    with pytest.raises(UsageError) as caught:
        read_keys(path)
    assert str(caught.value) == f"{path} holds keys and others may read it; run: chmod 600 {path}"


def test_every_bad_line_is_told_by_its_number_and_never_by_its_value(tmp_path: Path) -> None:
    lines = (
        f"OPENAI_KEY={KEY}",
        KEY,
        "OPENAI_API_KEY=",
        f"{KEY}=",
        f"{KEY}={KEY}",
        f"={KEY}",
        f"OPENAI_API_KEY: {KEY}",
    )
    with pytest.raises(BadFile) as caught:
        read_keys(_write(tmp_path, "\n".join(lines)))
    assert "canary" not in str(caught.value)
    assert caught.value.problems == (
        "line 1: no key 'OPENAI_KEY'; did you mean 'OPENAI_API_KEY'?",
        *(f"line {number}: not of the form NAME=value" for number in range(2, 8)),
    )


def test_a_file_that_cannot_be_read_is_the_users_to_mend(tmp_path: Path) -> None:
    path = tmp_path / "keys.env"
    path.write_bytes(b"OPENAI_API_KEY=\xff\xfe" + KEY.encode())
    path.chmod(0o600)
    for bad in (path, tmp_path):
        with pytest.raises(UsageError, match="the keys cannot be read") as caught:
            read_keys(bad)
        assert "canary" not in str(caught.value)
