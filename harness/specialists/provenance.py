"""What a snapshot was made from, by digest; and the in-toto statement that says so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import __version__
from harness.domain.digests import bytes_digest
from harness.domain.ids import Digest
from harness.domain.spec import GRADING_VERSION
from harness.specialists.canonical import GENESIS, Link, canonical, canonical_digest, chain
from harness.specialists.merkle import root
from harness.specialists.signing import PublicKey

Document = dict[str, Any]

FORMAT = 1
"""Raised when a verifier of before could no longer compute what a snapshot says."""
STATEMENT = "https://in-toto.io/Statement/v1"
NOT_RECORDED = "not recorded"
PREDICATE = "urn:mintmark:snapshot:1"
SNAPSHOT, CARD, PAGE, BUNDLE = "snapshot.json5", "snapshot.md", "snapshot.html", "bundle.tar"
SUFFIXES: Mapping[str, str] = {
    SNAPSHOT: ".json5",
    CARD: ".md",
    PAGE: ".html",
    BUNDLE: ".bundle.tar",
}
"""What a statement may speak of, in its order, and how the file beside the snapshot is called."""
ENVELOPE_SUFFIX = ".dsse.json"
OWN = ("benchmarks", "snapshot_metadata")
"""What a snapshot has beside the template's words."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of where the runs came from, beside the runs themselves."""

    scenarios: tuple[Document, ...] = ()
    """One object for each task: its digests, or why they are not known."""
    evaluators: Digest | None = None
    """Of the evaluators' code."""
    batches: tuple[Document, ...] = ()
    """What each batch was asked for."""
    records: Mapping[str, Digest] | None = None
    """Of the stored records, by run: what a bundle holds."""


def provenance_document(
    template: Document, runs: Sequence[Document], sources: Sources, signer: PublicKey | None
) -> Document:
    """The part of a snapshot's provenance that digests stand in."""
    records = sources.records or {}
    events = [_event(run, canonical_digest(run), records.get(run["run_id"])) for run in runs]
    links = tuple(chain(events))
    return {
        "format": FORMAT,
        "harness": {
            "version": __version__,
            "grading": GRADING_VERSION,
            "evaluators": sources.evaluators,
        },
        "template": template,
        "scenarios": list(sources.scenarios),
        "batches": list(sources.batches),
        "chain": {
            "genesis": GENESIS,
            "links": [{**e, "hash": link.digest} for e, link in zip(events, links, strict=True)],
            "head": links[-1].digest if links else GENESIS,
            "root": root([canonical(run) for run in runs]),
        },
        "signer": signer and {"keyid": signer.keyid, "public_key": signer.hex},
    }


def derived(runs: Sequence[Document]) -> Document:
    """The part of a snapshot's provenance that follows from its runs."""
    return {
        "batch_ids": sorted({run["batch_id"] for run in runs}),
        "specialist_digests": sorted(
            {run["specialist"]["digest"] for run in runs if run.get("specialist")}
        ),
        "workers": _each_once(map(_worker, runs)),
        "made_with": _each_once(map(_maker, runs)),
    }


def links_of(texts: Sequence[tuple[str, bytes]], stated: Sequence[Document]) -> Iterable[Link]:
    """The chain over runs, ids and canonical texts, with the records that a snapshot states."""
    records = {each["run"]: each.get("record") for each in stated}
    return chain(_event({"run_id": i}, bytes_digest(t), records.get(i)) for i, t in texts)


def template_part(document: Document) -> Document:
    """What a snapshot took over from its template."""
    return {key: value for key, value in document.items() if key not in OWN}


def batch_counts(runs: Iterable[Document]) -> Mapping[str, int]:
    """How many planned runs of each batch some runs are: tries at one of them count once."""
    planned: dict[str, set[tuple[object, ...]]] = {}
    for run in runs:
        planned.setdefault(run["batch_id"], set()).add(
            (
                *(run[key] for key in ("suite", "scenario", "tier", "agent", "model", "iteration")),
                tuple(sorted((run.get("specialist") or {}).items())),
            )
        )
    return {batch: len(found) for batch, found in planned.items()}


def statement(document: Document, files: Mapping[str, str]) -> bytes:
    """The in-toto statement about a snapshot; `files` are digests by name in SUFFIXES.

    Everything in it can be computed from the files it speaks of, so that each byte of it is
    checked even when nobody signed it.
    """
    metadata = document["snapshot_metadata"]
    provenance = metadata["provenance"]
    comparison = document["benchmarks"].get("comparison")
    return canonical(
        {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": files[name]}}
                for name in SUFFIXES
                if name in files
            ],
            "predicateType": PREDICATE,
            "predicate": {
                "name": document["name"],
                "version": document["version"],
                "minted_by": metadata["minted_by"],
                "created_at": metadata["created_at"],
                "template": provenance["template"],
                "runs": len(document["benchmarks"]["runs"]),
                "chain_head": provenance["chain"]["head"],
                "runs_root": provenance["chain"]["root"],
                "comparison": comparison and canonical_digest(comparison),
                "signer": provenance["signer"],
            },
        }
    )


def _event(run: Document, digest: str, record: str | None) -> Document:
    event = {"run": run["run_id"], "digest": digest}
    return event | ({"record": record} if record else {})


def _worker(run: Document) -> Document:
    """Who worked and how they were asked."""
    return {
        "agent": run["agent"],
        "model": run["model"],
        "settings": run.get("settings", {}),
        "specialist": (run.get("specialist") or {}).get("digest"),
    }


def _maker(run: Document) -> Document:
    """Which harness made a run, and what it took prices from, as the run recorded it."""
    if "harness" not in run:
        return {"harness": None, "prices": None, "note": NOT_RECORDED}
    return {"harness": run["harness"], "prices": run["prices"]}


def _each_once(found: Iterable[Document]) -> list[Document]:
    return list({json.dumps(each, sort_keys=True): each for each in found}.values())
