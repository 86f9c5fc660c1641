from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.load.project import Project

Make = Callable[..., Project]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"suite:prompts/sums/L7-x.md": "x"}, "prompts/sums/L7-x.md: there is no tier 'L7'; "),
        ({"prompts/L9.md": "x"}, "scenarios/sums/prompts/L9.md: there is no tier 'L9'"),
        ({"prompts/L0-other.md": "x"}, "tier L0 has another prompt in prompts/sums/L0-minimal.md"),
        ({"suite:prompts/sums/L0.md": "x"}, "tier L0 has another prompt"),
        ({"suite:prompts/sums/L1.md": " \n"}, "prompts/sums/L1.md: is empty"),
        ({"suite:prompts/sums/L1.md": "x" * 300_000}, "prompts/sums/L1.md: is larger than 262,144"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_refused(
    project: Make, files: dict[str, str], said: str
) -> None:
    errors = project().write(files).errors()
    assert len(errors) == 1
    assert said in errors[0]


def test_a_scenario_needs_a_prompt(project: Make) -> None:
    made = project()
    (made.root / "suites/shop/prompts/sums/L0-minimal.md").unlink()
    assert made.errors() == ("there is no prompt in prompts/sums/<tier>.md",)


def test_prompts_may_stand_in_both_places(project: Make) -> None:
    made = project().write({"prompts/L1-basic.md": "Issue.\n", "suite:prompts/sums/README.md": "x"})
    assert made.load().tiers == ("L0", "L1")
    assert made.load().notes == ()


def test_a_file_that_looks_like_a_prompt_but_is_none_is_noted(project: Make) -> None:
    notes = project().write({"suite:prompts/sums/l1-basic.md": "x"}).load().notes
    assert notes == ("prompts/sums/l1-basic.md: no prompt; those begin with a tier",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "oracle-answers.json: /: line 1"),
        ('{"a": "b", "a": "c"}', "oracle-answers.json: /a (line 1): the key 'a' stands here and"),
        ("[]", "oracle-answers.json /: [] is not a mapping"),
        ('{"a": 5}', "oracle-answers.json /a (line 1): 5 is not text"),
        ('{"a": ""}', "/a (line 1): '' is too short"),
        (
            '{"answers": {"a": "b"}, "expcted": []}',
            "unknown key 'expcted'; did you mean 'expected'?",
        ),
        ('{"expected": []}', "/expected (line 1): the list is empty"),
        ('{"expected": [{"name": "x"}]}', "/expected/0 (line 1): 'file' is missing"),
        (
            '{"expected": [{"name": "x", "file": "/etc/x"}]}',
            "'/etc/x' is not a path inside the works",
        ),
        (
            '{"expected": [{"name": "x", "file": "a", "equals": 1}]}',
            "/equals (line 1): needs the `path`",
        ),
        (
            '{"expected": [{"name": "x", "file": "a", "matches": "("}]}',
            "'(' is no regular expression: ",
        ),
        (
            '{"expected": [{"name": "x", "file": "a", "matches": "a", "path": "b"}]}',
            "is for the text of",
        ),
        ('{"expected": [{"name": "x", "file": "a", "path": "b..c"}]}', "'b..c' has an empty step"),
        (
            '{"expected": [{"name": "x", "file": "a", "path": []}]}',
            "/path (line 1): the list is empty",
        ),
        (
            '{"expected": [{"name": "x", "file": "a"}, {"name": "x", "file": "b"}]}',
            "'x' names more than",
        ),
        (
            '{"expected": [{"name": "x", "file": "a", "weight": 0}]}',
            "every expected value has weight 0",
        ),
    ],
)
def test_an_oracle_file_that_cannot_be_used_is_refused(project: Make, text: str, said: str) -> None:
    errors = project().write({"oracle-answers.json": text}).errors()
    assert any(said in error for error in errors), errors


def test_an_oracle_link_out_of_the_scenario_is_refused(project: Make) -> None:
    made = project()
    (made.folder / "oracle-answers.json").symlink_to("/etc/hostname")
    assert made.errors() == ("oracle-answers.json: leads out of the scenario's folder",)
    (made.folder / "oracle-answers.json").unlink()
    (made.folder / "oracle-answers.json").symlink_to("oracle-answers.json")
    assert "there is no such file" in made.errors()[0]
