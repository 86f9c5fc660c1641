"""What `bench new evaluator` writes: a package with an entry point, or a script of a suite."""

from __future__ import annotations

from collections.abc import Mapping

SCRIPT = '''\
#!/usr/bin/env python3
"""NAME: no new TODO is left behind.

Evidence comes as JSON on standard input, the answer goes as JSON to standard output; whatever else
there is to say goes to standard error. Keys of both: docs/evaluators.md, section `script`.
"""

import json
import sys


def added_lines(patch):
    """The lines that the work adds."""
    for line in patch.splitlines():
        if line.startswith("+") and not line.startswith("+++ "):
            yield line[1:]


def judge(evidence):
    """The answer: a score from 0 to 1, or null when there is nothing to score.

    Whether the work is right is for tests to say; but work that deletes, or leaves a file of its
    own and nothing else, is none and must not score.
    """
    files = evidence["patch"]["files"]
    if not any(file["kind"] == "modified" and file["added"] for file in files):
        return {"score": 0, "reason": "no file that was there has got a new line"}
    left = [line.strip() for line in added_lines(evidence["patch"]["text"]) if "TODO" in line]
    return {"score": 1 / (1 + len(left)), "details": [f"left behind: {line}" for line in left]}


if __name__ == "__main__":
    json.dump(judge(json.load(sys.stdin)), sys.stdout)
'''

PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "PACKAGE"
version = "0.1.0"
description = "The evaluator NAME for Mintmark."
requires-python = ">=3.11"
dependencies = ["mintmark"]

[project.entry-points."mintmark.evaluators"]
NAME = "MODULE:CLASS"

[tool.setuptools.packages.find]
where = ["src"]
"""

README = """\
# PACKAGE

The evaluator `NAME` for Mintmark: no new TODO is left behind.

    pip install -e .
    python -m pytest tests

and in a `scenario.yaml`:

    evaluators:
      - {name: NAME, weight: 1}
"""

MODULE = '''\
"""NAME: no new TODO is left behind."""

from __future__ import annotations

from harness.domain.patch import PatchKind
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, scored


class CLASS:
    """Score = 1 / (1 + lines added with a TODO in them); 0 when no file has got a new line."""

    cost = Cost.DATA
    """Cost.SANDBOX when it runs commands in `evidence.box`, Cost.MODEL when it asks a judge."""

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """What an agent can cause scores 0; `not_run(check, why)` is for what it cannot.

        Whether the work is right is for tests to say; but work that deletes, or leaves a file of
        its own and nothing else, is none and must not score.
        """
        files = evidence.work.patch.files
        if not any(file.kind is PatchKind.MODIFIED and file.added for file in files):
            return scored(check, 0.0, "no file that was there has got a new line")
        left = [
            f"{file.path}:{line.number}: {line.text.strip()}"
            for file in files
            for line in file.added
            if "TODO" in line.text
        ]
        return scored(check, 1 / (1 + len(left)), *left)
'''

TEST = '''\
from __future__ import annotations

from pathlib import Path

from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.patch import FilePatch, Patch, PatchKind, PatchLine
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence, Work
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

from MODULE import CLASS

CHECK = CheckSpec("NAME", "NAME", 1.0)


def score_of(
    tmp_path: Path, *lines: str, kind: PatchKind = PatchKind.MODIFIED
) -> float | None:
    """The score of work that adds these lines to app.py, or comes as that file, or deletes it."""
    added = tuple(PatchLine(number, line) for number, line in enumerate(lines, 1))
    text = "".join(f"{line}\\n" for line in lines)
    done = ChangeKind.DELETE if kind is PatchKind.DELETED else ChangeKind.FILE
    change = Change(b"app.py", done, data=text.encode())
    changes = Changes((change,) if lines or done is ChangeKind.DELETE else ())
    evidence = Evidence(
        scenario=a_scenario(tmp_path),
        changes=changes,
        box=FakeBox({"app.py": text.encode()}, {}),
        commands=(),
        control=None,
        hidden={},
        keep=MemoryArtifacts().put,
        work=Work(changes, Patch((FilePatch("app.py", kind, added=added),) if changes else ())),
    )
    return CLASS().judge(evidence, CHECK).score


def test_finished_work_scores_one(tmp_path: Path) -> None:
    assert score_of(tmp_path, "x = 2") == 1.0


def test_every_todo_lowers_the_score(tmp_path: Path) -> None:
    assert score_of(tmp_path, "x = 2  # TODO: ask", "y = 3  # TODO: test") == 1 / 3


def test_no_work_scores_nothing(tmp_path: Path) -> None:
    assert score_of(tmp_path) == 0.0


def test_deleting_scores_nothing(tmp_path: Path) -> None:
    assert score_of(tmp_path, kind=PatchKind.DELETED) == 0.0


def test_a_stray_file_scores_nothing(tmp_path: Path) -> None:
    assert score_of(tmp_path, "x = 2", kind=PatchKind.ADDED) == 0.0
'''


def script_of(name: str) -> str:
    """A script that answers."""
    return SCRIPT.replace("NAME", name)


def package_of(name: str) -> Mapping[str, str]:
    """A package that can be installed and whose tests pass, by path."""
    module = f"mintmark_{name.replace('-', '_')}"
    words = {
        "PACKAGE": f"mintmark-{name}",
        "MODULE": module,
        "CLASS": "".join(part.title() for part in name.split("-")) + "Evaluator",
        "NAME": name,
    }
    files = {
        "pyproject.toml": PYPROJECT,
        "README.md": README,
        f"src/{module}/__init__.py": MODULE,
        f"tests/test_{module}.py": TEST,
    }
    return {path: _filled(text, words) for path, text in files.items()}


def _filled(text: str, words: Mapping[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
