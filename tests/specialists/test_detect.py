from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BadFile, UsageError
from harness.load import task_patterns
from harness.specialists.detect import PATTERNS, detect, tasks_of
from tests.specialists.templates import a_template

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def words(*tasks: str) -> dict[str, object]:
    return {task: {"default": {"systemPrompt": "x"}} for task in tasks}


def test_the_templates_own_patterns_are_tried_in_its_order(tmp_path: Path) -> None:
    patterns = {"a": ["one"], "b": ["two"], "c": ["/thr.e/"]}
    detection = {"patterns": patterns, "priority": ["c", "b"]}
    template = a_template(tmp_path, task_detection=detection)
    assert detect(template, "one two three").task == "c"
    assert detect(template, "one two").task == "b"
    assert detect(template, "one") == ("a", "the prompt fits 'one'")
    assert detect(template, "none") == (None, "the prompt fits no pattern of a, b, c")


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Migrate the app from the Pages Router; set up what it needs.", "migration"),
        ("The list is wrong after a crash.", "bug_fix"),
        ("Add unit tests for the parser.", "testing"),
        ("Refactor the settings.", "refactoring"),
        ("Build a Button component.", "component_generation"),
        ("Update the README.", "documentation"),
        ("Set up a new project.", "project_setup"),
        ("Paint it blue.", None),
    ],
)
def test_without_patterns_the_documented_ones_tell_tasks_apart(
    tmp_path: Path, text: str, task: str | None
) -> None:
    assert detect(a_template(tmp_path, prompts=words(*PATTERNS)), text).task == task


def test_a_task_that_the_template_has_nothing_for_is_not_recognised(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=words("bug_fix"))
    assert detect(template, "Migrate it and fix it.").task == "bug_fix"
    assert detect(a_template(tmp_path), "Fix it.") == (None, "the template tells no tasks apart")


def test_a_priority_without_patterns_orders_the_documented_ones(tmp_path: Path) -> None:
    given = words("bug_fix", "migration")
    template = a_template(
        tmp_path, prompts=given, task_detection={"priority": ["bug_fix", "migration"]}
    )
    assert detect(template, "Migrate it and fix it.").task == "bug_fix"


def test_tasks_come_from_patterns_prompts_and_documents(tmp_path: Path) -> None:
    template = a_template(
        tmp_path,
        task_detection={"patterns": {"a": ["x"]}},
        prompts={"default": {"spawnerPrompt": "s", "b": "B"}, **words("c")},
        documentation=[{"url": "u", "enrichment": {"relevant_for_tasks": ["d", "a"]}}],
    )
    assert set(tasks_of(template)) == {"a", "b", "c", "d"}


def test_a_pattern_that_takes_too_long_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_patterns, "DEADLINE_S", 0.2)
    patterns = {"other": ["none"], "fix": ["mend", "/(a+)+$/"]}
    template = a_template(tmp_path, task_detection={"patterns": patterns})
    with pytest.raises(BadFile) as caught:
        detect(template, f"{'a' * 50}!")
    (said,) = caught.value.problems
    assert said.startswith(
        "/task_detection/patterns/fix/1 (line 1): whether the prompt fits '/(a+)+$/'"
    )
    assert said.endswith("cannot be told: took over 0.2 s; --task names the task")
    assert detect(template, f"{'a' * 50}!", "fix").task == "fix"


def test_a_text_that_the_documented_patterns_take_too_long_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_patterns, "DEADLINE_S", 0.2)
    template = a_template(tmp_path, prompts=words("migration"))
    with pytest.raises(UsageError, match=r"fits 'port \* to' cannot be told: took .* --task"):
        detect(template, "port " * 40_000)


def test_an_asked_for_task_has_to_be_the_templates(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=words("bug_fix"))
    assert detect(template, "whatever", "bug_fix") == ("bug_fix", "asked for")
    with pytest.raises(UsageError, match="has no task 'bugfix'; did you mean 'bug_fix'"):
        detect(template, "whatever", "bugfix")


@pytest.mark.parametrize("task", PATTERNS)
def test_every_default_pattern_is_documented(task: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{task}` |")]
    assert any(all(f"`{pattern}`" in row for pattern in PATTERNS[task]) for row in rows)
