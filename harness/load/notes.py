"""What a scenario.yaml says that this version keeps but does not act on: one line each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from harness.load.checks import METRICS, ORDER
from harness.load.source import LATER, Source

_NO_INSTALL = "not supported in this version: the image says what is installed"
_NO_CHECK = "not supported in this version: no check is made of it"

UNUSED: Mapping[str, str] = {
    "constraints": _NO_CHECK,
    "targets": _NO_CHECK,
    "success_criteria": _NO_CHECK,
    "baseline": "not run: the warm-up runs the validation commands on the untouched fixture",
    "warmup": "not supported in this version: the warm-up grades the untouched fixture",
    "fixtures": "not supported in this version: nothing is recorded or played back",
    "reference_path": "not supported in this version: no reference is compared with",
    "hints": "not supported in this version: the agent is not shown them",
    "estimated_time": "kept for people; only limits.wall_clock ends a run",
}


def notes(source: Source, *, suite: str, scenario: str, kinds: Collection[str]) -> Iterator[str]:
    """Every field that is dead here, so that none is silently so."""
    raw = source.raw
    for key, given, folder in (("id", raw.get("id"), scenario), ("suite", raw.get("suite"), suite)):
        if given is not None and given != folder:
            yield f"{key}: {given!r} is not the folder's name; {folder!r} is used"
    asked = [key for key in source.part("workspace") if key != "required"]
    if asked:
        yield f"workspace ({', '.join(asked)}): {_NO_INSTALL}"
    for key, said in UNUSED.items():
        if key in raw:
            yield f"{key}: {said}"
    for kind in LATER:
        if source.part(kind).get("enabled", False) and kind not in kinds:
            yield f"{kind}: {_NO_CHECK}"
    if not source.part("validation").get("required", True):
        yield "validation: required is false, so its commands are not run"
    yield from _idle_weights(source)


def _idle_weights(source: Source) -> Iterator[str]:
    used = {*source.part("validation").get("commands", {})} & set(ORDER)
    used |= {kind for kind in LATER if source.part(kind).get("enabled", False)}
    weights = source.part("rubric_overrides").get("weights", {})
    idle = [name for name in weights if METRICS.get(name, name) not in used]
    if idle:
        yield f"rubric_overrides.weights ({', '.join(idle)}): no check of that name is made here"
