from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.leaks import SecretsEvaluator
from harness.domain.record import CheckResult
from tests.evaluators.diffs import check_of, evidence_of

LETTERS = "kJ8sPq2RvT5wXz7LmN3bD9fGhYcVuE4aQiWoRtS6"
"""Nobody's: the forms below are put together here, so that no scanner finds one in this file."""

KEYS = [
    "AKIA" + "Q3EGWZ7RT5XN2LMB",
    "AKIA" + "QWERTYUIOPASDFGH",
    "AKIA" + "QTESTFOOYUIOPASD",
    "gh" + "p_" + LETTERS[:36],
    "glpat" + "-" + LETTERS[:20],
    "sk-ant" + "-api03-" + LETTERS,
    "sk" + "-proj-" + LETTERS,
    "AIza" + LETTERS[:35],
    "npm" + "_" + LETTERS[:36],
    "sk" + "_live_" + LETTERS[:24],
    "xoxb" + "-748291034567-928374650192-" + LETTERS[:24],
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "postgres" + "://app:" + LETTERS[:12] + "@db.internal/x",
]
PLACEHOLDERS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "AKIA" + "X" * 16,
    "AKIA" + "ABCD" * 4,
    "gh" + "p_" + "x" * 36,
    "sk-ant" + "-api03-your-key-goes-here-and-is-very-long",
    "sk" + "-" + "1234567890" * 4,
    "postgres://user:password@localhost/x".replace("password", "changeme"),
    "postgres://user:${PASSWORD}@localhost/x",
    "d41d8cd98f00b204e9800998ecf8427e",
]


def judge(folder: Path, path: str, text: str, before: dict[str, str] | None = None) -> CheckResult:
    evidence = evidence_of(folder, before or {"a.py": "x = 1\n"}, {path: text})
    return SecretsEvaluator().judge(evidence, check_of("secrets"))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:6])
def test_a_key_of_a_known_form_is_worth_nothing(tmp_path: Path, key: str) -> None:
    result = judge(tmp_path, "a.py", f"x = 1\nKEY = '{key}'\n")
    assert result.score == 0.0
    assert result.findings[0].line == 2
    assert key[8:] not in "".join(result.details) or key.startswith("---")


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_placeholders_and_digests_are_no_secrets(tmp_path: Path, value: str) -> None:
    result = judge(tmp_path, "a.py", f"x = 1\nvalue = '{value}'\n")
    assert result.score == 1.0, result.details


def test_what_the_fixture_had_is_not_new(tmp_path: Path) -> None:
    key = KEYS[1]
    before = {"old.py": f"K = '{key}'\n", "a.py": "x = 1\n"}
    assert judge(tmp_path, "a.py", f"x = '{key}'\n", before).score == 1.0


def test_a_random_value_given_to_a_password_may_be_a_secret(tmp_path: Path) -> None:
    assert judge(tmp_path / "1", "a.py", f"DB_PASSWORD = '{LETTERS[:20]}'\n").score == 0.5
    two = f"DB_PASSWORD = '{LETTERS[:20]}'\napi_key: '{LETTERS[20:]}'\n"
    assert judge(tmp_path / "2", "a.py", two).score == 0.25


@pytest.mark.parametrize(
    "line",
    [
        "password = 'correct horse battery staple'",
        "token = 'content-disposition'",
        "token = os.environ['API_TOKEN']",
        "password = getpass()",
        "TOKEN_HEADER = 'X-Registry-Token-2'",
        "secret = 'aaaaaaaaaaaaaaaaaaaa1'",
    ],
)
def test_words_and_names_are_no_secrets(tmp_path: Path, line: str) -> None:
    assert judge(tmp_path, "a.py", f"x = 1\n{line}\n").score == 1.0


def test_in_tests_a_key_only_may_be_one(tmp_path: Path) -> None:
    assert judge(tmp_path, "tests/test_a.py", f"KEY = '{KEYS[1]}'\n").score == 0.5


def test_ignored_files_are_not_looked_at(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, {"a.py": "x\n"}, {"keys/a.txt": f"{KEYS[1]}\n"})
    check = check_of("secrets", ignore=["keys/"])
    assert SecretsEvaluator().judge(evidence, check).score == 1.0


def test_nothing_changed_leaks_nothing(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, {"a.py": f"K = '{KEYS[1]}'\n"}, {})
    assert SecretsEvaluator().judge(evidence, check_of("secrets")).score == 1.0


@pytest.mark.parametrize(
    "text", ["eyJ" * 90_000, "://a:" * 50_000, "token='" * 50_000, "sk-" * 90_000]
)
def test_hostile_lines_do_not_keep_the_harness_busy(tmp_path: Path, text: str) -> None:
    assert judge(tmp_path, "a.py", f"{text}\n").score is not None
