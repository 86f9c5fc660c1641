"""script: what a program of the author's says, in any language that the image has."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from evaluators.script_evidence import as_json
from harness.domain.digests import text_digest
from harness.domain.plain_json import no_number
from harness.domain.record import CheckResult
from harness.domain.scenario import MIB, CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of
from harness.load.evaluator_scripts import EvaluatorScript, ScriptError, read_script
from harness.sandbox.base import AGENT_UID, GRADING, WORKSPACE, Completed, User

DEFAULT_TIMEOUT_S = 120.0
ANSWER_BYTES = 1 * MIB
MOST_DETAILS = 200
DETAIL_CHARS = 2000
SHOWN_CHARS = 200
KEYS = ("score", "reason", "details")
NO_SCORE = "the script gives no score"
STARTED_IN = ("/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh")
"""Some interpreters read settings where they are started; the agent writes in the workspace."""


class ScriptEvaluator:
    """Score = what the script answers.

    One that fails has no score, but 0 where it does not fail on the untouched fixture: then the
    work is the cause.
    """

    cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Hand it the evidence and read its answer."""
        try:
            script = read_script(evidence.scenario.folder, check.options)
        except ScriptError as error:
            return not_run(check, f"the script {check.options['run']!r} {error}")
        done = _run(evidence, check, script)
        log = evidence.keep(f"{check.name}.log", transcript_of(done))
        try:
            result = _result(evidence, check, _answer(done))
        except BadAnswerError as error:
            result = _failed(evidence, check, str(error))
        return replace(result, artifacts=(log,))


class BadAnswerError(Exception):
    """What the script did in place of an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A script's word."""

    score: float | None
    reason: str = ""
    details: tuple[str, ...] = ()


def _run(evidence: Evidence, check: CheckSpec, script: EvaluatorScript) -> Completed:
    folder = f"scripts/{text_digest(check.name)[:16]}"
    evidence.box.put_hidden({f"{folder}/{name}": data for name, data in script.files.items()})
    home = f"{GRADING}/{folder}"
    arguments = map(str, check.options.get("args", ()))
    return evidence.box.run(
        [*STARTED_IN, home, *script.interpreter, f"{home}/{script.name}", *arguments],
        timeout_s=check.timeout_s or DEFAULT_TIMEOUT_S,
        user=User.GRADER,
        env={
            # the usual home is the agent's: interpreters load modules and settings from it
            "HOME": GRADING,
            "TMPDIR": GRADING,
            "PYTHONNOUSERSITE": "1",
            "MINTMARK_WORKSPACE": WORKSPACE,
            "MINTMARK_UID": str(AGENT_UID),
            "MINTMARK_GID": str(AGENT_UID),
        },
        stdin=as_json(evidence, check),
        output_bytes=ANSWER_BYTES,
    )


def _answer(done: Completed) -> Answer:
    if done.timed_out:
        raise BadAnswerError("it was killed at its deadline")
    if not done.ok:
        raise BadAnswerError(f"it ended with exit code {done.exit_code}{_last(done.stderr)}")
    if done.dropped_bytes:
        raise BadAnswerError(f"it printed more than {ANSWER_BYTES} bytes")
    try:
        said = json.loads(done.stdout, parse_constant=no_number)
    except (ValueError, RecursionError):
        raise BadAnswerError(
            f"it did not print one JSON object but {_short(done.stdout)}"
        ) from None
    if not isinstance(said, dict):
        raise BadAnswerError(f"it printed {_short(json.dumps(said))}, not a JSON object")
    return _checked(said)


def _checked(said: Mapping[str, Any]) -> Answer:
    unknown = [key for key in said if key not in KEYS]
    if unknown or "score" not in said:
        wrong = f"has the unknown key {_short(unknown[0])}" if unknown else "has no 'score'"
        raise BadAnswerError(f"its answer {wrong}; it has {', '.join(KEYS)}")
    score, reason, details = said["score"], said.get("reason", ""), said.get("details", [])
    if score is not None and not _is_score(score):
        raise BadAnswerError(f"its score {_short(score)} is neither null nor within 0 and 1")
    if not isinstance(reason, str):
        raise BadAnswerError(f"its reason {_short(reason)} is no text")
    if not isinstance(details, list) or not all(isinstance(line, str) for line in details):
        raise BadAnswerError(f"its details {_short(details)} are no list of texts")
    lines = tuple(line[:DETAIL_CHARS] for line in details[:MOST_DETAILS])
    return Answer(None if score is None else float(score), reason[:DETAIL_CHARS], lines)


def _is_score(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= 1 and math.isfinite(value)


def _result(evidence: Evidence, check: CheckSpec, answer: Answer) -> CheckResult:
    if answer.score is not None:
        said = (answer.reason,) if answer.reason else ()
        return scored(check, answer.score, *said, *answer.details)
    before = evidence.before(check)
    why = f"{NO_SCORE}: {answer.reason or 'it does not say why'}"
    if before is not None and before.score is not None:
        # were it believed, work could be left in a state that nothing is said of
        counted = f"it gives the untouched fixture {before.score:g}, so this counts as 0"
        return scored(check, 0.0, why, counted, *answer.details)
    return replace(not_run(check, why), details=answer.details)


def _failed(evidence: Evidence, check: CheckSpec, why: str) -> CheckResult:
    before = evidence.before(check)
    answered = before is not None and (before.score is not None or NO_SCORE in before.reason)
    if answered:
        said = "it does not fail on the untouched fixture, so the work is the cause"
        return scored(check, 0.0, f"the script failed: {why}", said)
    if evidence.untouched:
        return not_run(check, f"the script fails on the untouched fixture: {why}")
    known = "it fails on the untouched fixture too" if before else "there is no control to compare"
    return not_run(check, f"the script failed, and {known}: {why}")


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return f": {lines[-1][:SHOWN_CHARS]}" if lines else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
