"""Settings → Cleaner: beside `wiring`, what finds all that can go from a machine's disks."""
# ruff: noqa: PLC0415  # on-demand imports, as in wiring

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from harness import wiring

if TYPE_CHECKING:
    from harness.cleaning import Cleaner
    from harness.load.scenarios import Project
    from harness.settings import Settings


def open_cleaner(settings: Settings, project: Project, *, quick: bool = False) -> Cleaner:
    """What finds all that can go; `quick`: what a batch that has no room removes by itself."""
    from harness import cleaning
    from harness.agents import programs
    from harness.sandbox import stale
    from harness.sandbox.images import DockerImages
    from harness.store.artifacts import FileArtifacts
    from harness.workspace import FixtureStore

    client, state = wiring.open_engine(settings), settings.state
    own = DockerImages(client, state, ca_bundle=settings.ca_bundle).needed(project.scenarios)
    images = replace(own, unknown=own.unknown | project.unreadable)
    sizes = cache(lambda: stale.Sizes.of(client))
    kinds: list[cleaning.Find] = [
        lambda _before: cleaning.leftovers(wiring.open_reaper(settings), state),
        lambda before: stale.images(client, images, before, sizes()),
        lambda before: stale.steps(client, before, sizes()),
    ]
    elsewhere = settings.store or settings.artifacts
    # a store elsewhere does not know all that the files here are of, nor the one here theirs
    if not elsewhere and (settings.results / "bench.db").exists():
        store, kept = wiring.open_store(settings), FileArtifacts(settings.results)
        kinds.append(lambda before: cleaning.artefacts(store, kept, young(before)))
        if not quick and (settings.results / "ledger.git").exists():
            ledger = wiring.open_ledger(settings)
            kinds.append(lambda before: cleaning.trees(store, ledger, young(before)))

    def young(before: datetime) -> datetime:
        return min(before, datetime.now(UTC) - cleaning.YOUNG)

    if quick:
        return cleaning.Cleaner(kinds)
    needs = cleaning.Needs.of(project.scenarios, programs.every())
    fixtures = FixtureStore(state / "fixtures")
    kinds += [
        lambda before: stale.volumes(client, needs.volumes, before, sizes(), state),
        lambda before: cleaning.copies(fixtures, needs, state, before),
        lambda before: cleaning.archives(state, needs, before),
    ]
    return cleaning.Cleaner(kinds)
