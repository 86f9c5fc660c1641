from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.load.snapshots import parse_snapshot
from harness.report.claims import Scope
from harness.report.effects import SCORE
from harness.report.measures import ROWS
from harness.specialists.cards import card_of, markdown_card
from harness.specialists.chart import MOST, Bar, chart
from harness.specialists.page import html_card
from tests.report.records import a_task
from tests.specialists.proofs import KEY, fresh, graded, minted_at
from tests.specialists.templates import a_template, worn


def document_of(path: Path) -> dict[str, Any]:
    return parse_snapshot(path.read_bytes())


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return document_of(minted_at(tmp_path_factory.mktemp("cards"), key=KEY).path)


def drawn(bars: list[Bar], overall: Bar) -> ET.Element:
    return ET.fromstring(chart(bars, overall))  # noqa: S314  # drawn by ourselves


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in root.iter() if name in each.get("class", "").split()]


def test_a_card_says_what_may_be_claimed_first(document: dict[str, Any]) -> None:
    text = markdown_card(document)

    claim = document["benchmarks"]["comparison"]["statistics"]["inference"]["claim"]
    plain = text.replace("\\", "")
    assert plain.splitlines()[0] == "# @acme/debugger"
    assert f"> **{claim}**" in plain
    assert "| Runs | 8: 4 with the specialist, 4 without |" in plain
    assert "| task-0 L1 | 0.51 | 0.70 | +0.200 |" in plain or "| task-0 L1 |" in plain
    assert f"| Signed by | {KEY.public.keyid} |" in plain


def test_every_compared_cell_is_in_the_table_and_in_the_chart(document: dict[str, Any]) -> None:
    card = card_of(document)

    assert [bar.label for bar in card.bars] == ["task-0 L1", "task-1 L1"]
    assert [round(bar.difference, 9) for bar in card.bars] == [0.2, 0.2]
    page = html_card(document)
    assert page.count('class="label"') == 2
    assert "All of them" in page


def test_a_card_tells_what_both_sides_did_and_who_worked(document: dict[str, Any]) -> None:
    card = card_of(document)
    assert [row[0] for row in card.measures] == ["Score", "Success", "Cost of a run", "Agent time"]
    inference = document["benchmarks"]["comparison"]["statistics"]["inference"]
    score, effect = card.measures[0], inference["overall"][0]
    reaches = [effect["scenarios_like_these"], effect["these_scenarios"]]
    reach = next(each for each in reaches if each and each["low"] is not None)
    assert score[-1] == ROWS[SCORE].between(reach["low"], reach["high"])
    run = document["benchmarks"]["runs"][0]
    assert dict(card.facts)["Agents"] == " ".join(filter(None, (run["agent"], run["model"])))
    for row in card.measures:
        assert f"| {' | '.join(row)} |" in markdown_card(document)
        assert "".join(f"<td>{cell}</td>" for cell in row) in html_card(document)

    unclaimed = deepcopy(document)
    inference = unclaimed["benchmarks"]["comparison"]["statistics"]["inference"]
    inference["claims"][0]["scope"] = Scope.NONE
    assert {row[-1] for row in card_of(unclaimed).measures} == {"–"}


def test_scenarios_of_two_suites_are_told_apart(document: dict[str, Any]) -> None:
    other = deepcopy(document)
    cells = other["benchmarks"]["comparison"]["statistics"]["cells"]
    cells[1] |= {"suite": "more", "scenario": "task-0"}

    assert [bar.label for bar in card_of(other).bars] == ["core/task-0 L1", "more/task-0 L1"]


def test_what_somebody_wrote_is_words_in_the_cards(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> | [x](http://y) `z`"
    document = document_of(minted_at(tmp_path).path)
    document["persona"]["purpose"] = evil
    document["displayName"] = evil
    document["benchmarks"]["comparison"]["statistics"]["cells"][0]["scenario"] = "<b>&"

    page, text = html_card(document), markdown_card(document)

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert "\\<script\\>" in text
    assert "\\[x\\](http" in text


def test_the_page_fetches_nothing_and_runs_nothing(document: dict[str, Any]) -> None:
    page = html_card(document)

    assert "default-src 'none'" in page
    assert not re.search(r"<script|<link|<img|url\(|@import|https?://", page)
    assert "prefers-color-scheme: dark" in page


def test_a_snapshot_without_a_comparison_has_cards_without_a_chart(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    own = [run for run in fresh(template) if run.cell.specialist]
    document = document_of(minted_at(tmp_path, own).path)

    assert "<svg" not in html_card(document)
    text = markdown_card(document)
    assert "there is no comparison in this snapshot" in text
    assert "Differences" not in text


def test_simulated_partly_graded_and_unpriced_runs_are_counted_on_the_card(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    runs = [replace(run, simulated=True) for run in fresh(template)]
    own = worn(template, a_task("task-0"))
    half = graded(0.7, own, simulated=True)
    half = replace(half, checks=tuple(replace(c, crashed=True) for c in half.checks), passed=False)
    session = half.session
    assert session
    half = replace(half, session=replace(session, cost_usd=None))
    document = document_of(minted_at(tmp_path, [*runs, half]).path)

    facts = dict(card_of(document).facts)

    assert facts["Simulated"] == "9 of 9 runs: no model took part"
    assert facts["In no average"] == "0 without a score, 1 partly graded"
    assert facts["Cost of all runs"] == "$2.0000, 1 run of unknown price"
    assert 'class="simulated"' in html_card(document)


def test_a_chart_is_well_formed_and_points_the_way_the_difference_goes() -> None:
    bars = [Bar("a", 0.2, 0.5, 0.7), Bar("b", -0.1, 0.5, 0.4), Bar("c & d", 0.0, 0.5, 0.5)]
    root = drawn(bars, Bar("All", 0.033, 0.5, 0.53, (-0.1, 0.2)))

    dots = [each for each in of_class(root, "dot") if each.tag == "circle"]
    (zero,) = of_class(root, "zero")
    at = float(zero.get("x1", ""))
    assert [dot.get("class") for dot in dots] == ["dot up", "dot down", "dot same"]
    assert float(dots[0].get("cx", "")) > at > float(dots[1].get("cx", ""))
    assert float(dots[2].get("cx", "")) == at
    whiskers = of_class(root, "whisker")
    assert float(whiskers[0].get("x1", "")) < at < float(whiskers[0].get("x2", ""))
    assert "c & d: +0.000" in "".join(root.itertext())


@pytest.mark.parametrize("size", [0.001, 0.03, 0.4, 1.0])
def test_everything_drawn_lies_within_the_chart(size: float) -> None:
    bars = [Bar("up", size, 0.0, size), Bar("down", -size, size, 0.0)]
    root = drawn(bars, Bar("All", 0.0, 0.5, 0.5, (-size, size)))

    _, _, width, height = map(float, root.get("viewBox", "").split())
    for each in root.iter():
        for axis, most in (("x", width), ("y", height)):
            for name in (axis, f"{axis}1", f"{axis}2", f"c{axis}"):
                if value := each.get(name):
                    assert 0 <= float(value) <= most
    labels = [each.text for each in of_class(root, "tick")]
    assert "0" in labels
    assert len(labels) == len(set(labels)) <= 10


def test_a_chart_of_many_cells_stays_a_chart() -> None:
    bars = [Bar(f"a very long name of a scenario that nobody reads {n}", 0.1, 0.5, 0.6)
            for n in range(MOST + 20)]  # fmt: skip
    root = drawn(bars, Bar("All", 0.1, 0.5, 0.6))

    assert len(of_class(root, "stem")) == MOST
    assert "20 more" in "".join(root.itertext())
