"""The worked examples of docs/evaluators.md are computed, and its table is the registry's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import wiring
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest, RunId
from harness.domain.model import ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.record import Control
from harness.domain.scenario import Scenario
from harness.domain.session import Ending, Entry, Question, Role, Session, count_calls
from harness.evaluate import Evidence, Work, evaluate, validate
from harness.ledger import Ledger
from harness.llm.base import Message, ToolSpec, Turn
from harness.load.scenarios import load_scenario
from harness.patches import parse_patch
from harness.sandbox.base import Completed
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

PAGE = Path(__file__).parents[2] / "docs/evaluators.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([a-z_]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
TABLE = TEXT.partition("\n## ")[0]
EXAMPLES = [
    pytest.param(yaml.safe_load(block), id=f"{kind}-{number}")
    for kind, section in SECTIONS.items()
    for number, block in enumerate(
        re.findall(r"^```yaml example\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    )
]
Example = dict[str, Any]


def test_every_kind_has_a_section_a_row_and_an_example() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", TABLE, re.MULTILINE)
    assert sorted(rows) == sorted(wiring.EVALUATORS)
    assert sorted(wiring.EVALUATORS) == sorted(SECTIONS.keys() & wiring.EVALUATORS.keys())
    without = {kind for kind in wiring.EVALUATORS if "```yaml example" not in SECTIONS[kind]}
    assert without == set()


def test_the_table_says_what_each_check_is_made_with() -> None:
    said = dict(re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", TABLE, re.MULTILINE))
    assert said == {kind: made.cost.value for kind, made in wiring.Evaluators().items()}


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_worked_example_comes_out_as_the_page_says(tmp_path: Path, example: Example) -> None:
    scenario = project(tmp_path, example)
    check = scenario.checks[0]
    keep = MemoryArtifacts().put
    before = files(example["before"])
    answers = example.get("answers", {})
    untouched = FakeBox(dict(before), said(example.get("answers_before", answers)))
    seen = Evidence(
        scenario, Changes(), untouched, validate(scenario, untouched, keep, print), None, {}, keep,
        untouched=True,
    )  # fmt: skip
    control = Control(Digest("k"), seen.commands, evaluate(seen, wiring.Evaluators(), print))
    after = {**before, **files(example.get("after", {}))}
    for name in [name for name, text in example.get("after", {}).items() if text is None]:
        del after[name]
    box = FakeBox(after, said(answers))
    changes = changed(before, after)
    evidence = Evidence(
        scenario, changes, box, validate(scenario, box, keep, print), control, {}, keep,
        work=work(tmp_path, scenario, changes, example), judges=Replies(example.get("replies", [])),
    )  # fmt: skip
    result = next(r for r in evaluate(evidence, wiring.Evaluators(), print) if r.name == check.name)
    assert not result.crashed
    wanted = example["score"]
    assert (result.score is None) == (wanted is None), (result.reason, result.details)
    if wanted is not None:
        assert result.score == pytest.approx(wanted, abs=0.005), result.details


def project(tmp_path: Path, example: Example) -> Scenario:
    """A scenario that has what the example says, and its check first."""
    folder = tmp_path / "suites/docs/scenarios/example"
    parts = {"name": "An example", "threshold": 0.5, **example.get("scenario", {})}
    parts["evaluators"] = [example["check"], *example.get("others", [])]
    for name, text in {
        "scenario.yaml": yaml.safe_dump(parts, sort_keys=False),
        "prompts/L1.md": "Do it.\n",
        **{f"repo-fixture/{name}": text for name, text in example["before"].items()},
        **example.get("beside", {}),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_scenario(tmp_path, "docs", "example", wiring.evaluator_kinds())


def files(texts: Mapping[str, str | None]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in texts.items() if text is not None}


def said(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Completed]:
    return {
        part: Completed(each.get("exit", 0), each.get("stdout", ""), each.get("stderr", ""), 0.01)
        for part, each in answers.items()
    }


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Changes:
    gone = [Change(name.encode(), ChangeKind.DELETE) for name in before if name not in after]
    new = [
        Change(name.encode(), ChangeKind.FILE, data=data)
        for name, data in after.items()
        if before.get(name) != data
    ]
    return Changes(tuple(sorted([*gone, *new])))


def work(tmp_path: Path, scenario: Scenario, changes: Changes, example: Example) -> Work:
    ledger = Ledger.open(tmp_path / "ledger.git")
    tree = ledger.record(RunId("run_20260101000000_00000000"), scenario, changes)
    patch = parse_patch(ledger.diff(tree))
    given = example.get("session", {})
    transcript = tuple(
        Entry(Role.TOOL_CALL, json.dumps(each["input"]), float(at), each["tool"])
        for at, each in enumerate(given.get("tools", []))
    )
    use = ModelUse(
        usage=Usage(input_tokens=given.get("tokens", 0)),
        cost_usd=given.get("cost_usd"),
        turns=given.get("turns", 0),
    )
    session = Session(
        ending=Ending.FINISHED,
        duration_s=given.get("duration_s", 1.0),
        calls=count_calls(transcript),
        questions=tuple(
            Question(each["question"], "", each.get("matched"))
            for each in given.get("questions", [])
        ),
        usage=use.usage,
        cost_usd=use.cost_usd,
        model_use=use if given else None,
    )
    return Work(changes, patch, session, transcript, "Do it.")


@dataclass
class Replies:
    """A judge that says what was written down."""

    texts: Sequence[str]
    asked: list[str] = field(default_factory=list)

    @property
    def models(self) -> tuple[ModelRef, ...]:
        return (ModelRef("openai", "judge"),) if self.texts else ()

    @contextmanager
    def seat(self, model: ModelRef, settings: ModelSettings) -> Iterator[Replies]:
        del model, settings
        yield self

    @property
    def chat(self) -> Replies:
        return self

    def use(self) -> ModelUse:
        return ModelUse()

    def cut(self) -> None:
        pass

    def send(
        self,
        system: str | None,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        timeout_s: float = 0,
    ) -> Turn:
        del system, messages, tools, timeout_s
        self.asked.append("")
        return Turn(self.texts[(len(self.asked) - 1) % len(self.texts)])
