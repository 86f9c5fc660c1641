"""What minting takes from a project: the template that the runs had, digests, the key."""
# ruff: noqa: PLC0415  # `mint --help` answers without loading what a snapshot takes

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.domain.record import RunRecord, SpecialistRef
    from harness.domain.scenario import Scenario
    from harness.domain.template import Template
    from harness.settings import Settings
    from harness.specialists.mint import Proof, Terms
    from harness.specialists.provenance import Sources

KEY_NAME = "mint.key"

key_option = click.option(
    "--key",
    "key_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Ed25519 key [mint.key beside the keys file, in ~/.config/mintmark].",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a snapshot was asked for."""

    require_comparison: bool = False
    sign: bool = False
    """Refuse to mint without a key; one that is there signs in any case."""
    key: Path | None = None
    bundle: bool = False


def default_key(settings: Settings) -> Path:
    """Where the key of whoever works here is kept."""
    if settings.keys_file is None:
        raise UsageError("there is no HOME to keep a key in; name a file with --key")
    return settings.keys_file.with_name(KEY_NAME)


def template_of(settings: Settings, ref: str | None, proof: Proof) -> Template:
    """The template that is minted, as the runs had it where it is still there."""
    from harness.load.templates import find_exact, find_template

    template = find_template(settings.root, ref or _sole_specialist(proof))
    own = _worn(proof, template)
    if not own or template.digest in {each.digest for each in own}:
        return template
    if ref and Path(ref).suffix:
        # a path names one file; its enrichments are the same template
        plain = find_template(settings.root, ref, enriched=False)
        if plain.digest in {each.digest for each in own}:
            return plain
    for each in own:
        if found := find_exact(settings.root, each.name, each.version, each.digest):
            return found
    return template


def terms_for(settings: Settings, asked: Asked, proof: Proof) -> Terms:
    """A snapshot's terms; raises UsageError where a signature is wanted and there is no key."""
    from harness import wiring
    from harness.specialists.mint import Terms
    from harness.specialists.signing import read_key

    wanted = asked.sign or asked.key is not None
    path = asked.key
    if path is None and (wanted or settings.keys_file is not None):
        path = default_key(settings)
    return Terms(
        require_comparison=asked.require_comparison,
        key=read_key(path) if path and (wanted or path.exists()) else None,
        sources=sources_of(settings, proof.records),
        artifacts=wiring.open_artifacts(settings) if asked.bundle else None,
    )


def sources_of(settings: Settings, records: Iterable[RunRecord]) -> Sources:
    """Digests of what the runs were made from, as far as the project has it."""
    import evaluators
    from harness import wiring
    from harness.load.scenarios import load_scenario
    from harness.specialists.provenance import Sources
    from harness.specialists.sources import code_digest, scenario_documents

    def find(suite: str, scenario: str) -> Scenario:
        return load_scenario(settings.root, suite, scenario, kinds=wiring.evaluator_kinds())

    return Sources(
        scenarios=scenario_documents(records, find),
        evaluators=code_digest(Path(evaluators.__file__).parent),
    )


def _worn(proof: Proof, template: Template) -> tuple[SpecialistRef, ...]:
    """The refs of the runs of this template, whatever its content was then."""
    refs = dict.fromkeys(record.cell.specialist for record in proof.records)
    name = template.name, template.version
    return tuple(ref for ref in refs if ref and (ref.name, ref.version) == name)


def _sole_specialist(proof: Proof) -> str:
    from harness.specialists.mint import candidates

    found = candidates(proof)
    if len(found) == 1:
        return found[0]
    batches = ", ".join(proof.batches)
    if not found:
        raise UsageError(
            f"no specialist worked in {batches}: name the template, and its baseline is minted"
        )
    raise UsageError(f"more than one specialist worked in {batches}: name {' or '.join(found)}")
