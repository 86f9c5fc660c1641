"""A stored run of a real project, and judges that say what a test wants to hear."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness import wiring
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import RunId
from harness.domain.record import RunRecord
from harness.domain.scenario import Scenario
from harness.domain.session import Entry, Role
from harness.domain.spec import AgentRef, RunSpec
from harness.load.scenarios import load_scenario
from harness.settings import Settings
from harness.store.transcripts import keep
from harness.testing.provider import Answer, Says, Script, Seen
from tests.report.records import a_run, a_session, a_task

MODEL = "openai:some-judge"
WORK = "greeting = compute_the_greeting()"
BOAST = "I am sure that everything is right."
RUBRIC = """\
categories:
  - "Correctness (60%): it does what was asked. Score 1-5: 1=no, 5=yes"
  - "Style (40%): it reads well"
"""


def a_scenario_of(project: Path) -> Scenario:
    return load_scenario(project, "sample", "greet", kinds=wiring.evaluator_kinds())


def with_rubric(project: Path, *lines: str) -> None:
    """Give the scenario a rubric of two categories; `lines` are more keys of the block."""
    path = project / "suites/sample/scenarios/greet/scenario.yaml"
    block = "".join(f"  {line}\n" for line in (*RUBRIC.splitlines(), *lines))
    path.write_text(f"{path.read_text()}\nllm_judge:\n  enabled: true\n{block}")


def store_run(project: Path, name: str = "run_1", **changes: object) -> RunRecord:
    """A run that left one file, as the store, the ledger and the artefacts have it.

    The ledger has it only where `changes` do not say what tree there is.
    """
    settings = Settings(project)
    scenario = a_scenario_of(project)
    prompt = next(p for p in scenario.prompts if p.tier == "L1")
    spec = RunSpec(scenario, prompt, AgentRef("tool-loop"))
    if "tree" not in changes:
        data = f"{WORK}\n".encode()
        left = Changes((Change(b"greet.py", ChangeKind.FILE, data=data),))
        changes["tree"] = wiring.open_ledger(settings).record(RunId(name), scenario, left)
    said = (Entry(Role.ASSISTANT, BOAST, 1.0),)
    log = keep(said, wiring.open_artifacts(settings).put)
    record = a_run(
        0.75,
        replace(a_task("greet"), suite="sample"),
        id=RunId(name),
        task_digest=spec.task_digest,
        session=replace(a_session(), log=log),
    )
    record = replace(record, **changes)  # type: ignore[arg-type]  # a record's own fields
    wiring.open_store(settings).save(record)
    return record


def verdict(marks: Mapping[str, float], quote: str = WORK) -> Answer:
    """A judge's answer with these marks."""
    scores = [
        {"category": name, "score": mark, "reasoning": f"about {name}", "quotes": [quote]}
        for name, mark in marks.items()
    ]
    return Says(json.dumps({"scores": scores}))


def says(*answers: Answer) -> Script:
    """These answers in turn, the last of them again and again."""

    def script(_seen: Seen, number: int) -> Answer:
        return answers[min(number, len(answers) - 1)]

    return script
