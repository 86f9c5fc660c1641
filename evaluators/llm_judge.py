"""llm_judge: models that read the work, by the scenario's rubric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.domain.judgement import Judgement, Mark
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.judging import JudgeFailed, hints, judge_work, make_case

TEXT_CHARS = 500


class JudgeEvaluator:
    """Score = Σ weight · (mark - 1) / 4 ÷ Σ weight over the rubric's categories."""

    cost = Cost.MODEL

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Ask the panel."""
        rubric = evidence.scenario.rubric
        if rubric is None:
            return not_run(check, "the scenario has no `llm_judge` that is enabled")
        case = make_case(
            evidence.scenario,
            evidence.work.patch,
            task=evidence.work.task,
            transcript=evidence.work.transcript,
            commands=evidence.commands,
            checks=evidence.earlier.values(),
        )
        told = hints(case)
        try:
            judgement = judge_work(case, rubric, evidence.judges, evidence.keep)
        except JudgeFailed as error:
            result = not_run(check, str(error))
            return replace(
                result,
                details=tuple(map(_one_line, told)),
                artifacts=error.artifacts,
                use=error.use,
            )
        result = scored(check, judgement.score, *_lines(judgement), *map(_one_line, told))
        return replace(
            result, judgement=judgement, artifacts=judgement.artifacts, use=judgement.use
        )


def _lines(judgement: Judgement) -> Iterator[str]:
    for mark in judgement.marks:
        yield _line(mark)
        yield from (f"  not in the work: {quote[:TEXT_CHARS]!r}" for quote in mark.unfounded)
    if judgement.note:
        yield _one_line(judgement.note)


def _line(mark: Mark) -> str:
    spread = f" (from {min(mark.samples):g} to {max(mark.samples):g})" if mark.spread else ""
    head = f"{mark.category} ({100 * mark.weight:.4g}%): {mark.score:g} of 5{spread}"
    return _one_line(f"{head}: {mark.reasoning[:TEXT_CHARS]}" if mark.reasoning else head)


def _one_line(text: str) -> str:
    """A detail is a line, whatever a judge writes."""
    return " ".join(text.split())
