from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BadFile, UsageError
from harness.load.files import read_document
from harness.load.templates import find_template, load_template, snapshot_problems
from tests.load.project import KINDS, Project
from tests.load.test_forms import NATIVE, ORACLE, ORIGINAL
from tests.load.test_templates import FULL, SNAPSHOT

Data = dict[str, Any] | list[Any]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["", ".", "..", "../x", "/", "a\0b", "x" * 300, "\ud800", "1e9h", "!", "[z-a]"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*place, index))


def put(value: Data, place: tuple[str | int, ...], new: object) -> object:
    if not place:
        return new
    target: Any = value
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = new
    return value


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def data(text: str, name: str) -> Data:
    with folder() as there:
        (there / name).write_text(text, encoding="utf-8")
        read: Any = read_document(there / name).value
        return read


FORMS = {
    "scenario": [data(NATIVE, "a.yaml"), data(ORIGINAL, "a.yaml")],
    "oracle": [data(ORACLE, "a.json")],
    "template": [data(FULL, "a.json5")],
    "snapshot": [SNAPSHOT],
}


@st.composite
def spoiled(draw: st.DrawFn, kind: str) -> object:
    """A right file with one to three values in it replaced by anything."""
    value: Any = copy.deepcopy(draw(st.sampled_from(FORMS[kind])))
    for _ in range(draw(st.integers(1, 3))):
        value = put(value, draw(st.sampled_from(list(places(value)))), draw(values))
    return value


def complaints(load: Callable[[], object]) -> tuple[str, ...]:
    """What a loader says of its file; anything but a BadFile or a UsageError flies."""
    try:
        load()
    except BadFile as error:
        return error.problems or ("a BadFile without problems",)
    except UsageError as error:
        return (str(error),)
    return ()


def try_scenario(scenario: str | bytes, oracle: str) -> None:
    with folder() as root:
        made = Project(root).write(
            {
                "oracle-answers.json": oracle,
                "repo-fixture/a": "",
                "hidden/test_a.py": "",
                "suite:prompts/sums/L0.md": "x",
            }
        )
        made.folder.joinpath("scenario.yaml").write_bytes(
            scenario.encode() if isinstance(scenario, str) else scenario
        )
        problems = complaints(made.load)
        # a report has no path before its lines, so a line of the whole file names it
        said = [error.removeprefix("scenario.yaml: ") for error in made.report().errors]
        assert said in ([*problems], [each.removeprefix("/: ") for each in problems])


@settings(max_examples=40, deadline=None)
@given(spoiled("scenario"), spoiled("oracle"))
def test_a_spoiled_scenario_loads_or_is_a_bad_file(scenario: object, oracle: object) -> None:
    try_scenario(json.dumps(scenario), json.dumps(oracle))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.text("{}[]:,-&*!#'\"\n ab1?|>%@`", max_size=60).map(str.encode))
def test_any_bytes_are_a_bad_file(text: bytes) -> None:
    try_scenario(text, "{}")


@settings(max_examples=50, deadline=None)
@given(spoiled("template"))
def test_a_spoiled_template_loads_or_is_a_bad_file(template: object) -> None:
    with folder() as there:
        path = there / "a.json5"
        path.write_text(json.dumps(template), encoding="utf-8")
        assert "a BadFile without problems" not in complaints(lambda: load_template(path))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([".json5", ".jsonc", ".json"]), st.text("{}[]:,/*'\"\\\nab1+.-", max_size=40)
)
def test_any_text_is_a_template_or_a_bad_file(suffix: str, text: str) -> None:
    with folder() as there:
        path = there / f"a{suffix}"
        path.write_text(text, encoding="utf-8")
        assert complaints(lambda: load_template(path))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20) | st.sampled_from(["@a/b@1", "a.json", "a\0.json5", "@", "a@b@c"]))
def test_any_reference_to_a_template_is_answered(ref: str) -> None:
    with folder() as there:
        (there / "templates").mkdir()
        assert complaints(lambda: find_template(there, ref))


@settings(max_examples=60, deadline=None)
@given(spoiled("snapshot"))
def test_a_spoiled_snapshot_is_told_apart(snapshot: object) -> None:
    for problem in snapshot_problems(snapshot):  # type: ignore[arg-type]  # that is the point
        assert problem.startswith("/")


def test_the_forms_that_are_spoiled_are_right_to_begin_with() -> None:
    assert KINDS
    try_scenario(NATIVE, ORACLE)
    assert snapshot_problems(SNAPSHOT) == ()
