from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.session import Entry, Role
from harness.specialists.mint import Minted
from harness.specialists.signing import SigningKey
from harness.store import transcripts
from harness.testing.store import MemoryArtifacts
from tests.report.records import a_session
from tests.specialists.proofs import KEY, fresh, minted_at, rich
from tests.specialists.templates import a_template


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Minted]:
    """Snapshots that every test leaves as they are: unsigned, signed, and one with a bundle."""
    folder = tmp_path_factory.mktemp("made")
    return {
        "unsigned": minted_at(folder / "unsigned"),
        "alone": one_sided(folder / "alone", None),
        "alone and signed": one_sided(folder / "alone and signed", KEY),
        "signed": minted_at(folder / "signed", key=KEY),
        "bundled": with_bundle(folder / "bundled"),
        "rich": minted_at(folder / "rich", rich(folder / "rich"), key=KEY),
    }


def with_bundle(folder: Path) -> Minted:
    """A signed snapshot whose runs have outputs, and its bundle."""
    artifacts = MemoryArtifacts()
    template = a_template(folder)
    log = transcripts.keep((Entry(Role.ASSISTANT, "I will look.", 0.5),), artifacts.put)
    session = replace(a_session(), log=log)
    runs = [replace(run, session=session) for run in fresh(template, 2, 1)]
    return minted_at(folder, runs, key=KEY, artifacts=artifacts)


def one_sided(folder: Path, key: SigningKey | None) -> Minted:
    """A snapshot without a comparison, which takes no time to compute."""
    template = a_template(folder)
    own = [run for run in fresh(template, 2, 1) if run.cell.specialist]
    return minted_at(folder, own, key=key)
