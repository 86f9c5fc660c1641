"""Whether a snapshot is as it was minted: everything computed again, offline, in one reading.

What can be said precisely is looked at first, so that the first thing that does not hold names a
run and a number; that a file has changed at all comes after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.domain.digests import bytes_digest
from harness.errors import UsageError
from harness.specialists import examine
from harness.specialists.bundle import artifacts_of, read_record, unpack
from harness.specialists.cards import markdown_card
from harness.specialists.examine import PROVENANCE, Case
from harness.specialists.flaws import DoesNotHold, Flaw, same, same_text
from harness.specialists.json5 import to_json5
from harness.specialists.numbering import sibling
from harness.specialists.page import html_card
from harness.specialists.provenance import (
    BUNDLE,
    CARD,
    ENVELOPE_SUFFIX,
    PAGE,
    SNAPSHOT,
    SUFFIXES,
    statement,
)
from harness.specialists.runs import run_document
from harness.specialists.signing import PublicKey, holds, is_key, read_envelope
from harness.specialists.snapshot import comments

THIS = f"mintmark {__version__}"

NEVER = (
    "that the provider served the model it names",
    "that the graders' verdicts are true of the work",
    "that these scenarios stand for yours",
)
"""What no verification of files can show; always said."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found to hold, in order, and what was not."""

    path: Path
    name: str
    runs: int
    held: tuple[str, ...]
    flaw: Flaw | None
    signer: str | None
    """The id of the key whose signature holds."""
    notes: tuple[str, ...] = ()
    """What was not looked at."""

    @property
    def ok(self) -> bool:
        """Everything that was looked at holds."""
        return self.flaw is None


def verify(path: Path, *, key: PublicKey | None = None, bundle: bool = False) -> Verdict:
    """Examine a snapshot; raises UsageError when there is no such file.

    With a key it has to be signed by that; with `bundle` the stored records beside it are read.
    """
    if not path.is_file():
        raise UsageError(f"there is no snapshot {str(path)!r}")
    case, held, flaw = Case(path, key, bundle), list[str](), None
    for what, step in STEPS:
        try:
            said = step(case)
        except DoesNotHold as found:
            flaw = found.flaw
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            # what is read was written by anyone: something that every schema lets pass
            flaw = Flaw(f"{path.name}, {what}", "what a snapshot holds", "something else")
        except RecursionError:
            flaw = Flaw(f"{path.name}, {what}", "a snapshot", "something nested too deeply")
        if flaw:
            break
        if said:
            held.append(f"{what}: {said}")
    if flaw and case.runs and case.minted_by != THIS:
        case.notes.append(
            f"minted by {case.minted_by}, and this is {THIS}, which may compute and write"
            " otherwise: verify with the version that minted"
        )
    return Verdict(
        path=path,
        name=case.document.get("name", path.name),
        runs=len(case.runs),
        held=tuple(held),
        flaw=flaw,
        signer=None if flaw else case.signer,
        notes=tuple(case.notes),
    )


def _statement(case: Case) -> str:
    path = sibling(case.path, ENVELOPE_SUFFIX)
    if not path.is_file():
        raise DoesNotHold(path.name, "the envelope of the snapshot's statement", "no such file")
    try:
        case.envelope = read_envelope(path.read_bytes())
        stated = json.loads(case.envelope.payload)
    except ValueError as error:
        raise DoesNotHold(path.name, "the envelope as it was written", str(error)) from error
    files = _subjects(path.name, stated)
    for name in SUFFIXES:
        beside = case.beside(name)
        is_here = beside.is_file()
        if name in files and is_here:
            data = case.data if name == SNAPSHOT else beside.read_bytes()
            found = bytes_digest(data)
            same(f"{beside.name}, sha256", files[name], found)
        elif is_here:
            expected = "a file that the statement names"
            raise DoesNotHold(beside.name, expected, "one it does not name")
        elif name in {*files, CARD, PAGE}:
            case.notes.append(f"{beside.name} is not here")
    wanted = statement(case.document, files)
    same(path.name, json.loads(wanted), stated)
    same_text(f"{path.name}, payload", wanted, case.envelope.payload)
    return f"in-toto statement about {', '.join(files)}"


def _subjects(place: str, stated: object) -> dict[str, str]:
    """The files that a statement names, with their digests."""
    try:
        found = {each["name"]: each["digest"]["sha256"] for each in stated["subject"]}  # type: ignore[index]  # whatever it is
        is_sound = SNAPSHOT in found and found.keys() <= SUFFIXES.keys()
    except (KeyError, TypeError):
        is_sound = False
    if not is_sound or not all(isinstance(digest, str) for digest in found.values()):
        raise DoesNotHold(f"{place}, /subject", f"{SNAPSHOT} and its companions", "something else")
    return found


def _layout(case: Case) -> str:
    """How the files are written follows from the document: no word in them is anybody's own."""
    wanted = {
        SNAPSHOT: to_json5(case.document, comments(case.found)),
        CARD: markdown_card(case.document),
        PAGE: html_card(case.document),
    }
    others = []
    for name, text in wanted.items():
        path = case.beside(name)
        if not path.is_file():
            continue
        data = case.data if name == SNAPSHOT else path.read_bytes()
        if case.minted_by == THIS:
            same_text(path.name, text.encode(), data)
        elif text.encode() != data:
            others.append(path.name)
    if others:
        case.notes.append(
            f"{', '.join(others)}: written by another version ({case.minted_by}; this is {THIS}),"
            " so only what the snapshot holds was checked, not how it is told"
        )
        return ""
    return "the snapshot and its cards are written as its data says"


def _signature(case: Case) -> str:
    signer, signatures = case.provenance["signer"], case.envelope.signatures
    path = sibling(case.path, ENVELOPE_SUFFIX).name
    if signer is None:
        if signatures:
            raise DoesNotHold(
                f"{path}, /signatures", "none: it was minted unsigned", len(signatures)
            )
        if case.key:
            raise DoesNotHold(
                f"{path}, /signatures", f"one by {case.key.keyid}", "none: not signed"
            )
        case.notes.append("not signed: anyone could have minted this")
        return ""
    place = f"{PROVENANCE}/signer"
    if not is_key(signer["public_key"]):
        raise DoesNotHold(f"{place}/public_key", "an Ed25519 key", signer["public_key"])
    public = PublicKey(signer["public_key"])
    same(f"{place}/keyid", public.keyid, signer["keyid"])
    if case.key:
        same(f"{place}/public_key", case.key.hex, public.hex)
    same(f"{path}, /signatures", [public.keyid], [keyid for keyid, _ in signatures])
    if not holds(case.envelope, public):
        raise DoesNotHold(f"{path}, /signatures/0/sig", f"a signature by {public.keyid}", "another")
    case.signer = public.keyid
    if not case.key:
        case.notes.append("whose key it is, only you can know: give --key to require one")
    return f"Ed25519 by {public.keyid[:16]}…"


def _bundle(case: Case) -> str:
    path = sibling(case.path, SUFFIXES[BUNDLE])
    if not case.bundle:
        if path.is_file():
            case.notes.append("the bundle's digest holds; its records were not read (--bundle)")
        return ""
    if not path.is_file():
        raise DoesNotHold(path.name, "a bundle", "no such file")
    try:
        found = unpack(path.read_bytes())
    except ValueError as error:
        raise DoesNotHold(path.name, "a bundle", str(error)) from error
    for digest, data in found.objects.items():
        same(f"{path.name}, objects/{digest}", digest, bytes_digest(data))
    same(f"{path.name}, records", len(case.runs), len(found.records))
    links = case.provenance["chain"]["links"]
    for number, line in enumerate(found.records):
        where = f"{path.name}, record {number + 1}"
        same(f"{where}, sha256", links[number].get("record"), bytes_digest(line))
        try:
            record = read_record(line)
        except ValueError as error:
            raise DoesNotHold(where, "a stored record", "something else") from error
        same(f"/benchmarks/runs/{number}", run_document(record), case.runs[number])
        for artifact in artifacts_of(record):
            if artifact.digest not in found.objects:
                raise DoesNotHold(
                    f"{where}, {artifact.name}", f"objects/{artifact.digest}", "nothing"
                )
    return f"{len(found.records):,} stored records and {len(found.objects):,} outputs"


STEPS: Sequence[tuple[str, Callable[[Case], str]]] = (
    ("structure", examine.structure),
    ("scores", examine.scores),
    ("chain of runs", examine.chain),
    ("aggregates", examine.aggregates),
    ("template", examine.template),
    ("limits", examine.limits),
    ("files", _statement),
    ("layout", _layout),
    ("signature", _signature),
    ("bundle", _bundle),
)
