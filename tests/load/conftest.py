from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.load.project import MINIMAL, Project


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Project]:
    """A project whose scenario is complete but for the scenario.yaml that is given."""

    def make(scenario_yaml: str = MINIMAL) -> Project:
        return Project(tmp_path).write(
            {
                "scenario.yaml": scenario_yaml,
                "repo-fixture/README.md": "# Sums\n",
                "suite:prompts/sums/L0-minimal.md": "The sums are wrong.\n",
            }
        )

    return make
