"""A project with one scenario in it, made of texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.domain.scenario import Scenario
from harness.errors import BadFile
from harness.load.scenarios import Report, load_scenario, validate_scenario
from harness.wiring import EVALUATORS

KINDS = tuple(EVALUATORS)

MINIMAL = """\
name: Sums
image: {name: debian:bookworm-slim, packages: [python3]}
evaluators:
  - {name: build, weight: 1, command: "true"}
"""


@dataclass(frozen=True)
class Project:
    """A folder with one scenario in it, `shop/sums`, and what loading it says."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "suites" / "shop" / "scenarios" / "sums"

    def write(self, files: Mapping[str, str]) -> Project:
        """Write files of the scenario's folder; `suite:` begins a path of the suite's folder."""
        for name, text in files.items():
            base = self.folder.parent.parent if name.startswith("suite:") else self.folder
            path = base / name.removeprefix("suite:")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self

    def load(self) -> Scenario:
        return load_scenario(self.root, "shop", "sums", KINDS)

    def errors(self) -> tuple[str, ...]:
        with pytest.raises(BadFile) as caught:
            self.load()
        assert caught.value.path == self.folder / "scenario.yaml"
        return caught.value.problems

    def report(self) -> Report:
        return validate_scenario(self.root, "shop", "sums", KINDS)
