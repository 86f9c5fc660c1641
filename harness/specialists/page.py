"""A snapshot's card as one HTML file: no script, nothing fetched, dark and light."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from harness.specialists.cards import MEASURE_HEADS, Card, card_of
from harness.specialists.chart import chart

STYLE = """\
:root { color-scheme: light dark; --ink: #1b2230; --soft: #5d6778; --line: #dde2ea;
  --paper: #f6f7f9; --sheet: #ffffff; --up: #0b6bcb; --down: #b8560b; --all: #1b2230;
  --warn: #8a5a00; --warn-back: #fff6df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf2; --soft: #98a3b5; --line: #2c3442;
  --paper: #10141b; --sheet: #181e28; --up: #6db3ff; --down: #f0a35e; --all: #e7ebf2;
  --warn: #f1c76a; --warn-back: #2a2414; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 40px 20px; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 860px; margin: 0 auto; background: var(--sheet); border: 1px solid var(--line);
  border-radius: 14px; padding: 36px 40px; }
h1 { margin: 0; font-size: 27px; line-height: 1.2; letter-spacing: -0.015em; }
h2 { margin: 36px 0 12px; font-size: 13px; font-weight: 600; letter-spacing: 0.06em;
  text-transform: uppercase; color: var(--soft); }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--soft);
  overflow-wrap: anywhere; }
.purpose { margin: 10px 0 0; color: var(--soft); max-width: 66ch; }
.claim { margin: 26px 0 0; padding: 16px 20px; border-left: 4px solid var(--soft);
  background: var(--paper); border-radius: 0 8px 8px 0; font-size: 17px; line-height: 1.45; }
dl { display: grid; grid-template-columns: 150px 1fr; gap: 6px 20px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.claim.up { border-color: var(--up); } .claim.down { border-color: var(--down); }
.numbers { margin-top: 26px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 0 5px 14px; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 400; color: var(--soft); }
tr > :first-child { padding-left: 0; text-align: left; }
ul { margin: 0; padding-left: 20px; } li + li { margin-top: 6px; }
svg { display: block; width: 100%; height: auto; font: 12.5px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .tick, svg .axis { fill: var(--soft); text-anchor: middle;
  font-size: 11.5px; }
svg .label, svg .scores { text-anchor: end; } svg .scores { font-variant-numeric: tabular-nums;
  fill: var(--soft); } svg .strong { font-weight: 650; }
svg .grid { stroke: var(--line); } svg .zero { stroke: var(--soft); stroke-width: 1.4; }
svg .rule { stroke: var(--line); } svg .stem { stroke-width: 2.5; opacity: 0.55; }
svg .whisker { stroke-width: 2; }
svg line.up { stroke: var(--up); } svg line.down { stroke: var(--down); }
svg line.same { stroke: var(--soft); } svg line.all { stroke: var(--all); }
svg .dot.up { fill: var(--up); } svg .dot.down { fill: var(--down); }
svg .dot.same { fill: var(--soft); } svg .dot.all { fill: var(--all); }
footer { margin-top: 32px; padding-top: 18px; border-top: 1px solid var(--line);
  color: var(--soft); font-size: 13.5px; }
.simulated { margin: 18px 0 0; padding: 10px 16px; border-radius: 8px; color: var(--warn);
  background: var(--warn-back); }
@media (max-width: 620px) { main { padding: 24px 18px; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; } table { font-size: 12.5px; } th, td { padding-left: 6px; } }
@media print { body { padding: 0; background: none; } main { border: 0; } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
FOOTER = (
    "Minted by Mintmark. <code>mint verify</code> on the snapshot beside this page recomputes every"
    " number and checks every digest."
)


def html_card(document: dict[str, Any]) -> str:
    """The page; everything in it that somebody wrote is escaped."""
    card = card_of(document)
    body = [
        f"<h1>{escape(card.title)}</h1>",
        f"<code>{escape(card.version)}</code>",
        f'<p class="purpose">{escape(card.purpose)}</p>',
        *_warning(card),
        f'<p class="claim {card.tone}">{escape(card.claim)}</p>',
        f'<div class="numbers">{_list(card.facts)}</div>',
        *_measures(card),
        *_chart(card),
        "<h2>What this does not say</h2>",
        "<ul>" + "".join(f"<li>{escape(each)}</li>" for each in card.limits) + "</ul>",
        "<h2>Where it comes from</h2>",
        _list(card.origin),
        f"<footer>{FOOTER}</footer>",
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{escape(card.version)}</title>",
            f"<style>\n{STYLE}</style></head>",
            "<body><main>",
            *body,
            "</main></body></html>\n",
        ]
    )


def _chart(card: Card) -> Sequence[str]:
    if card.overall is None:
        return ()
    return ("<h2>Differences, cell by cell</h2>", chart(card.bars, card.overall))


def _measures(card: Card) -> Sequence[str]:
    if not card.measures:
        return ()
    heads = "".join(f"<th>{escape(head)}</th>" for head in MEASURE_HEADS)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in card.measures
    )
    return ("<h2>Both sides</h2>", f"<table><tr>{heads}</tr>{rows}</table>")


def _warning(card: Card) -> Sequence[str]:
    simulated = dict(card.facts).get("Simulated")
    return (f'<p class="simulated">Simulated: {escape(simulated)}.</p>',) if simulated else ()


def _list(pairs: Sequence[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in pairs)
    return f"<dl>{items}</dl>"
