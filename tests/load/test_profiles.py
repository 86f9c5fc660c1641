from __future__ import annotations

from pathlib import Path

import pytest

from harness.domain.scenario import TierProfile
from harness.load.profiles import read_profiles

ORIGINAL = """\
tiers:
  L0: { description: "Minimal instruction", askUser_bonus: 0.2, efficiency_weight: 0.8 }
  Lx: { description: "Adversarial", askUser_bonus: 0.25 }
dimensions:
  verbosity: [terse, normal]
quality_checks:
  require_acceptance_criteria: true
"""


def written(suite: Path, text: str) -> Path:
    (suite / "prompts").mkdir()
    (suite / "prompts/policy.yaml").write_text(text, encoding="utf-8")
    return suite


def test_the_originals_policy_is_read(tmp_path: Path) -> None:
    found = read_profiles(written(tmp_path, ORIGINAL))
    assert found.errors == ()
    assert found.profiles == (TierProfile("L0", 0.2, 0.8), TierProfile("Lx", 0.25, 1.0))


def test_a_suite_without_one_has_no_profiles(tmp_path: Path) -> None:
    assert read_profiles(tmp_path).profiles == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tiers: {L9: {}}", "prompts/policy.yaml: /tiers/L9 (line 1): unknown key 'L9'"),
        ("tiers: {L0: {askUser_bonus: 2}}", "2 is out of range; it must be at most 1"),
        ("tiers: {L0: {efficency_weight: 1}}", "did you mean 'efficiency_weight'"),
        ("tiers: [", "prompts/policy.yaml: "),
        ("- 1", "is not a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    found = read_profiles(written(tmp_path, text))
    assert found.profiles == ()
    assert said in "\n".join(found.errors)
