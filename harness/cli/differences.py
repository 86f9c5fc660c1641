"""A comparison on the terminal: the claim first, then the numbers it is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from harness.cli.console import clean, table
from harness.report.claims import Verdict
from harness.report.effects import CHECK, COST, MODEL, SCENARIO, SCORE, SUCCESS, TIER, TIME, Effect
from harness.report.inference import ComparisonReport, Extras
from harness.report.paired import SPECIALIST
from harness.report.power import LEAST_SCENARIOS, advice, reach
from harness.report.words import dollars, outward
from harness.stats.estimate import Estimate

STYLES = {Verdict.BETTER: "bold green", Verdict.WORSE: "bold red", Verdict.NO_LARGER: "bold"}
TITLES = {SCENARIO: "Scenario", TIER: "Tier", MODEL: "Agent", CHECK: "Check"}
NONE = "–"
LEAST_SHOWN = 0.001


@dataclass(frozen=True, slots=True)
class Shown:
    """How a measure is written."""

    title: str
    value: Callable[[float], str]
    digits: int
    unit: str = ""
    sign: str = ""
    scale: float = 1.0

    def change(self, value: float) -> str:
        """A difference, with its sign."""
        return self._signed(round(value * self.scale, self.digits) + 0.0) + self.unit

    def between(self, low: float, high: float) -> str:
        """An interval, rounded outwards as in the claim."""
        ends = [
            self._signed(outward(end * self.scale, self.digits, up=up))
            for end, up in ((low, False), (high, True))
        ]
        return f"{' to '.join(ends)}{self.unit}"

    def _signed(self, value: float) -> str:
        return f"{'-' if value < 0 else '+'}{self.sign}{abs(value):.{self.digits}f}"


ROWS: Mapping[str, Shown] = {
    SCORE: Shown("Score", "{:.2f}".format, 2),
    SUCCESS: Shown("Success", "{:.0%}".format, 0, " pp", scale=100),
    COST: Shown("Cost of a run", dollars, 4, sign="$"),
    TIME: Shown("Agent time", "{:.1f}s".format, 1, "s"),
}


def print_report(console: Console, found: ComparisonReport, by: str) -> None:
    """The claims, the overall differences, and the parts that were asked for."""
    for sentence, verdict in dict.fromkeys((each.sentence, each.verdict) for each in found.claims):
        console.print(Text(clean(sentence), STYLES.get(verdict, "bold yellow")))
    if found.effects:
        console.print()
        console.print(
            table(None, _columns("", found), [_row(e, ROWS[e.name]) for e in found.effects])
        )
        console.print()
        console.print(table(None, [("", "id"), ("", "")], list(_remarks(found))))
    for kind, title in TITLES.items():
        if by in {kind, "all"} and (parts := found.part(kind)):
            rows = [_row(e, ROWS[SCORE], e.name) for e in parts]
            console.print()
            console.print(table(None, _columns(title, found), rows))
    if found.notes:
        console.print()
    for note in found.notes:
        console.print(Text(clean(note), "yellow"))


def _columns(title: str, found: ComparisonReport) -> list[tuple[str, str]]:
    is_specialist = found.pairing.after == SPECIALIST
    before, after = ("Without", "With") if is_specialist else ("A", "B")
    interval = "95%, this one" if title == TITLES[SCENARIO] else "95% interval"
    names = (before, after, "Change", interval, "p")
    return [(title, ""), *((name, "right") for name in names)]


def _row(each: Effect, shown: Shown, name: str | None = None) -> tuple[str, ...]:
    return (
        shown.title if name is None else name,
        shown.value(each.before),
        shown.value(each.after),
        shown.change(each.delta),
        _ends(each.these if each.general.low is None else each.general, shown),
        _p(each.p if each.adjusted is None else each.adjusted) + _fragile(each),
    )


def _fragile(each: Effect) -> str:
    return " fragile" if each.is_fragile() else ""


def _ends(found: Estimate, shown: Shown) -> str:
    if found.low is None or found.high is None:
        return NONE
    if found.se == 0:
        return "no spread"
    return shown.between(found.low, found.high)


def _p(value: float | None) -> str:
    if value is None:
        return NONE
    return f"<{LEAST_SHOWN}" if value < LEAST_SHOWN else f"{value:.3f}"


def _remarks(found: ComparisonReport) -> Iterator[tuple[str, str]]:
    if found.pass_k and found.pass_k[-1][0].k > 1:
        before, after = found.pass_k[-1]
        k = before.k
        yield f"pass@{k}", _change(before.at_least_one, after.at_least_one, f"one of {k} tries")
        yield f"pass^{k}", _change(before.all_of_them, after.all_of_them, f"all {k} of them")
    score = found.score
    if score and score.these.low is not None and score.general.low is not None:
        said = "would exactly these be run again" if score.these.se else "the runs never varied"
        yield "These only", f"{_ends(score.these, ROWS[SCORE])}, {said}"
    if found.extras:
        yield from _sizes(found.extras)
    if found.extras and score and score.general.se and score.scenarios >= LEAST_SCENARIOS:
        yield from _drawn(found.extras)
    if found.bounds and any(side.missing for side in found.arms):
        low, high = found.bounds.worst, found.bounds.best
        yield "Bounds", f"{ROWS[SCORE].between(low, high)}, whatever the missing runs were worth"
    view = found.outlook
    if view and not view.is_too_narrow:
        yield "Detectable", reach(view)
    if view:
        yield f"To tell {view.wanted:g}", advice(view)
    if any(each.adjusted is not None for each in (*found.effects, *found.parts)):
        how = "by t over scenarios, by signs where nothing varies"
        yield "p", f"{how}; Holm's for what was declared, Benjamini-Hochberg's else"


def _sizes(extras: Extras) -> Iterator[tuple[str, str]]:
    improvement, size = extras.improvement, extras.size
    known = [] if size.g is None else [f"Hedges' g {size.g:+.2f}"]
    known += [] if size.d_z is None else [f"d_z {size.d_z:+.2f} over scenarios"]
    if known:
        yield "Effect size", ", ".join(known)
    between = ""
    if improvement.se and improvement.low is not None and improvement.high is not None:
        between = f" ({improvement.low:.0%} to {improvement.high:.0%})"
    yield "Wins", f"{improvement.mean:.0%}{between} of run against run at the same task"


def _drawn(extras: Extras) -> Iterator[tuple[str, str]]:
    if extras.bootstrap.low is not None and extras.bootstrap.high is not None:
        low, high = extras.bootstrap.low, extras.bootstrap.high
        yield "Bootstrap", f"{ROWS[SCORE].between(low, high)} by drawing scenarios again"


def _change(before: Estimate | None, after: Estimate | None, of: str) -> str:
    return f"{_mean(before)} → {_mean(after)} of cells: {of} passed"


def _mean(found: Estimate | None) -> str:
    return NONE if found is None else f"{found.mean:.2f}"
