from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.digests import bytes_digest
from harness.domain.record import Maker, PriceTables
from harness.domain.scenario import Scenario
from harness.errors import UsageError
from harness.load.snapshots import parse_snapshot
from harness.specialists.canonical import GENESIS, canonical, canonical_digest, chain
from harness.specialists.merkle import consistency, includes, inclusion, root
from harness.specialists.provenance import Sources
from harness.specialists.signing import read_envelope
from harness.specialists.sources import CHANGED, code_digest, scenario_documents
from harness.specialists.verify import verify
from tests.report.records import a_run
from tests.specialists.proofs import KEY, fresh, minted_at
from tests.specialists.templates import a_template

LEAVES = [f"entry-{n}".encode() for n in range(7)]
ROOTS = [
    "40766b2033429026f53d54502679a839706b4741f8dcaf3a8bba5f41b5ffe075",
    "2f27a5082c1d42afa488ac350a9fc4390c084f54f71ecdff859e98db8429b479",
    "a64bf26e09128f6fe2fe6f8b2d8c801e166b57c047a7cd9b2b809e7a96a2f1cb",
    "256b9e8825e5d370a4ae005d0901ea291977e2927f5cf8e3e72660dd09519edb",
    "1aa68d3074905a581f84cbbd0f753794904fd80451bc4c13e69d9a53bc59502c",
    "08783a523d260480de2ccf0976d7411ed8adaf06f75d5a5de2254c58f968eca9",
    "9139601cc1ca8ab2a7a0c2c134c04845f2b1ba549a83d6c845cfcda439cc585d",
]
PROOF = (
    "27479b6ab321d2ee477452f68ba527748e863cafe8fbd1df2bf89d1570d1b697",
    "2f27a5082c1d42afa488ac350a9fc4390c084f54f71ecdff859e98db8429b479",
    "e429c5b5ccaa9523c37297f1846766f903137e82195c5199e6be57130d1006c8",
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
)


def test_canonical_json_is_spelt_as_the_vector_spells_it() -> None:
    document = {"b": 1.0, "a": [1e21, 0.1, 1e-07, "é€\n"], "c": None, "z": {"y": True, "x": -0.0}}

    assert canonical(document) == (
        '{"a":[1e+21,0.1,1e-7,"é€\\n"],"b":1,"c":null,"z":{"x":0,"y":true}}'.encode()
    )
    assert canonical_digest(document) == (
        "b602b5b91bd1ff1296aa09b17756b5afa095686d4d25e16a4418c6739e2b0d1b"
    )


@given(VALUES)
def test_whatever_is_spelt_fast_is_spelt_as_the_library_spells_it(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # JSON values


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60, {1: 2}, {"x": object()}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the library says it in its own words
        canonical(value)


def test_a_chain_of_digests_is_that_of_the_vector() -> None:
    events = [
        {"type": "run.start", "run": "r1"},
        {"type": "score", "run": "r1", "v": 0.865},
        {"type": "run.end", "run": "r1", "status": "completed"},
    ]

    links = list(chain(events))

    assert [link.digest for link in links] == [
        "787bbc25a08384e036c73ccb3a196f560614b0472e4dfc89eea54d3f2dcd90d9",
        "2a7adb0ce2038754f966fb7b6603c8bb41888e2cd34e3359ce09361327b37b4e",
        "82cb92218c1dcdffaf879ddf04697b7435de77ca2e88fff2af2904e7f96b0b14",
    ]
    assert json.loads(links[0].text)["prev"] == GENESIS


@pytest.mark.parametrize("size", range(1, 8))
def test_roots_of_merkle_trees_are_those_of_the_vector(size: int) -> None:
    assert root(LEAVES[:size]) == ROOTS[size - 1]


def test_proofs_in_merkle_trees_are_those_of_the_vector() -> None:
    assert inclusion(LEAVES, 2) == PROOF
    assert consistency(LEAVES, 4) == (PROOF[2],)
    assert consistency(LEAVES, 7) == ()
    assert root([]) == hashlib.sha256().hexdigest()


@pytest.mark.parametrize("index", range(7))
def test_a_leaf_is_shown_to_belong_without_the_others(index: int) -> None:
    proof = inclusion(LEAVES, index)

    assert includes(LEAVES[index], index, 7, proof) == ROOTS[6]
    assert includes(b"another", index, 7, proof) != ROOTS[6]
    assert includes(LEAVES[index], index, 7, proof[:-1]) != ROOTS[6]
    assert includes(LEAVES[index], index, 7, (*proof, PROOF[0])) is None


def test_a_snapshot_holds_digests_of_everything_it_was_made_from(tmp_path: Path) -> None:
    scenario = {"suite": "core", "scenario": "task-0", "tier": "L1", "fixture": "f" * 64}
    sources = Sources(scenarios=(scenario,), evaluators=bytes_digest(b"code"))
    done = minted_at(tmp_path, key=KEY, sources=sources)

    document = parse_snapshot(done.path.read_bytes())

    provenance = document["snapshot_metadata"]["provenance"]
    assert provenance["scenarios"] == [scenario]
    assert provenance["harness"]["evaluators"] == bytes_digest(b"code")
    assert provenance["batches"] == [{"id": "b", "planned": 8, "here": 8}]
    assert provenance["signer"]["public_key"] == KEY.public.hex
    assert [worker["specialist"] is None for worker in provenance["workers"]] == [True, False]
    runs = document["benchmarks"]["runs"]
    links = provenance["chain"]["links"]
    assert [link["run"] for link in links] == [run["run_id"] for run in runs]
    assert [link["digest"] for link in links] == [canonical_digest(run) for run in runs]
    assert all(len(link["record"]) == 64 for link in links)


def test_what_made_the_runs_is_what_they_recorded_and_each_is_listed_once(tmp_path: Path) -> None:
    old, new = (Maker(version, PriceTables("genai-prices 1")) for version in ("0.0.9", "0.1.0"))
    runs = fresh(a_template(tmp_path), 2, 2)
    makers = [new, new, old, old, None, new, new, new]
    done = minted_at(
        tmp_path, [replace(run, maker=maker) for run, maker in zip(runs, makers, strict=True)]
    )

    document = parse_snapshot(done.path.read_bytes())

    prices = {"library": "genai-prices 1", "own": None}
    assert document["snapshot_metadata"]["provenance"]["made_with"] == [
        {"harness": "0.1.0", "prices": prices},
        {"harness": "0.0.9", "prices": prices},
        {"harness": None, "prices": None, "note": "not recorded"},
    ]
    listed = document["benchmarks"]["runs"]
    assert [run.get("harness") for run in listed] == [m and m.harness for m in makers]
    assert verify(done.path).flaw is None


def test_the_statement_names_every_file_by_its_digest(tmp_path: Path) -> None:
    done = minted_at(tmp_path)
    (envelope,) = [path for path in done.files if path.name.endswith(".dsse.json")]

    stated = json.loads(read_envelope(envelope.read_bytes()).payload)

    assert stated["_type"] == "https://in-toto.io/Statement/v1"
    assert {each["name"]: each["digest"]["sha256"] for each in stated["subject"]} == {
        "snapshot.json5": bytes_digest(done.path.read_bytes()),
        "snapshot.md": bytes_digest(done.path.with_suffix(".md").read_bytes()),
        "snapshot.html": bytes_digest(done.path.with_suffix(".html").read_bytes()),
    }


def test_a_scenario_that_is_gone_leaves_the_digest_of_the_task_and_says_so() -> None:
    def gone(suite: str, scenario: str) -> Scenario:
        raise UsageError(f"no scenario {suite}/{scenario}")

    run = a_run(0.5)

    (found,) = scenario_documents([run, a_run(0.7)], gone)

    assert found["task_digest"] == run.task_digest
    assert found["note"] == CHANGED
    assert "fixture" not in found


def test_the_digest_of_code_follows_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    first = code_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"compiled")
    assert code_digest(tmp_path) == first
    (tmp_path / "a.py").rename(tmp_path / "b.py")

    assert code_digest(tmp_path) != first
