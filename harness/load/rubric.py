"""`llm_judge` of a scenario.yaml."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.domain.grading import JUDGE
from harness.domain.model import ModelRef, ModelSettings, parse_model
from harness.domain.provider import PROVIDERS
from harness.domain.rubric import DEFAULT_CATEGORIES, Category, Combine, Rubric
from harness.errors import UsageError, nearest
from harness.llm.settings import check_settings
from harness.load.folders import SOLUTION
from harness.load.places import Place, Problem
from harness.load.source import FILE, Source

ROUTER = "openrouter"
"""Who has the models that are named `maker/model`, as the original names them."""

PERCENT = 100
SLACK = 0.1
EQUAL_SLACK = 0.5
"""Equal shares are rounded as they must be: three times 33% will do."""

_WEIGHTED = re.compile(
    r"(?P<name>[^:]*\S)\s*\((?:weight\s*:\s*)?(?P<weight>\d{1,3}(?:\.\d{1,6})?)\s?%\)"
    r"\s*(?::(?P<text>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_PERCENT = re.compile(r"\([^()]*%[^()]*\)")
_ANCHORS = re.compile(
    r"\bscore\s*(?:from\s*)?1\s*(?:-|–|to)\s*5\s*:(?P<all>.*)$", re.IGNORECASE | re.DOTALL
)
_ANCHOR = re.compile(r"(?:^|[,;.])\s*([1-5])\s*=\s*")


@dataclass(frozen=True, slots=True)
class RubricFile:
    """What was read, and what is wrong with it."""

    rubric: Rubric | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Written:
    """A category as the file has it: its weight in percent, if it has one."""

    category: Category
    percent: float | None
    place: Place


def read_rubric(source: Source) -> RubricFile:
    """The rubric, when a check is made by it."""
    block = source.part(JUDGE)
    listed = any(item.get("uses", item["name"]) == JUDGE for _, item in source.items("evaluators"))
    if not source.is_whole(JUDGE) or not (listed or block.get("enabled", False)):
        return RubricFile()
    problems: list[Problem] = []
    if not block.get("enabled", True):
        problems.append(
            Problem((JUDGE, "enabled"), "is false, but an evaluator llm_judge is listed")
        )
    written = [_read(item, n) for n, item in enumerate(block.get("categories", ()))]
    problems += _category_problems(written)
    settings = ModelSettings(block.get("temperature"), block.get("max_tokens"))
    judges = tuple(_models(block, settings, problems))
    show = block.get("show", {})
    path = source.document.path
    # a rubric in a file of its own goes with scenarios that have one, or have none
    if show.get("solution") and path.name == FILE and not (path.parent / SOLUTION).is_dir():
        text = f"there is no {SOLUTION}/ beside this file that judges could be shown"
        problems.append(Problem((JUDGE, "show", "solution"), text))
    rubric = Rubric(
        categories=_weighed(written) or DEFAULT_CATEGORIES,
        judges=judges,
        settings=settings,
        samples=block.get("samples", 1),
        combine=Combine(block.get("combine", Combine.MEDIAN)),
        disagreement=float(block.get("disagreement", 1.0)),
        with_solution=show.get("solution", False),
        with_statement=show.get("statement", False),
    )
    return RubricFile(rubric, tuple(problems))


def _read(item: str | Mapping[str, Any], number: int) -> _Written:
    place: Place = (JUDGE, "categories", number)
    if isinstance(item, str):
        return _parsed(item, place)
    anchors = item.get("anchors", {})
    category = Category(
        name=item["name"].strip(),
        weight=0.0,
        text=item.get("text", "").strip(),
        anchors=tuple((int(level), anchors[level]) for level in sorted(anchors)),
    )
    return _Written(category, item.get("weight"), place)


def _parsed(line: str, place: Place) -> _Written:
    """`Name (30%): text. Score 1-5: 1=…, 5=…`, every part but the name may be missing."""
    found = _WEIGHTED.fullmatch(line.strip())
    name, _, text = line.partition(":")
    percent = None
    if found:
        name, text, percent = found["name"], found["text"] or "", float(found["weight"])
    text, anchors = _anchored(text.strip())
    return _Written(Category(" ".join(name.split()), 0.0, text, anchors), percent, place)


def _anchored(text: str) -> tuple[str, tuple[tuple[int, str], ...]]:
    found = _ANCHORS.search(text)
    if not found:
        return text, ()
    before, *pieces = _ANCHOR.split(found["all"].strip())
    levels = {
        int(level): said.strip() for level, said in zip(pieces[::2], pieces[1::2], strict=True)
    }
    if before.strip() or not levels or 2 * len(levels) != len(pieces):
        return text, ()
    return text[: found.start()].strip(), tuple(sorted(levels.items()))


def _weighed(written: Sequence[_Written]) -> tuple[Category, ...]:
    """Percent as shares; without any, every category counts alike."""
    percents = [each.percent or 0.0 for each in written]
    whole = sum(percents)
    shares = [p / whole for p in percents] if whole else [1 / len(written) for _ in written]
    pairs = zip(written, shares, strict=True)
    return tuple(replace(each.category, weight=share) for each, share in pairs)


def _category_problems(written: Sequence[_Written]) -> Iterator[Problem]:
    names = Counter(each.category.name.casefold() for each in written)
    for each in written:
        name = each.category.name
        if not name:
            yield Problem(each.place, "has no name before its colon")
        elif names[name.casefold()] > 1:
            yield Problem(each.place, f"{name!r} names more than one category")
        if each.percent is None and _PERCENT.search(name):
            text = f"the weight in {name!r} cannot be read; write it as in 'Name (30%): text'"
            yield Problem(each.place, text)
        if each.percent == 0:
            yield Problem(each.place, f"{name!r} has a weight of 0%, so it would not count")
    yield from _sum_problems(written)


def _sum_problems(written: Sequence[_Written]) -> Iterator[Problem]:
    given = [each.percent for each in written if each.percent is not None]
    if not given:
        return
    for each in written:
        if each.percent is None:
            text = (
                f"{each.category.name!r} has no weight, and others have; give all of them or none"
            )
            yield Problem(each.place, text)
    whole = sum(given)
    slack = EQUAL_SLACK * len(given) if len(set(given)) == 1 else SLACK
    if len(given) == len(written) and abs(whole - PERCENT) > slack:
        text = f"the weights add up to {whole:g}%; they must add up to 100%"
        yield Problem((JUDGE, "categories"), text)


def _models(
    block: Mapping[str, Any], settings: ModelSettings, problems: list[Problem]
) -> Iterator[str]:
    named: list[tuple[Place, str]] = []
    if "model" in block:
        named.append(((JUDGE, "model"), block["model"]))
    if "judges" in block:
        if named:
            problems.append(Problem((JUDGE, "model"), "`judges` says this; give only one of them"))
        named = [((JUDGE, "judges", n), text) for n, text in enumerate(block["judges"])]
    for place, text in named:
        try:
            model = _model(text)
            check_settings(model.provider, settings)
        except UsageError as error:
            problems.append(Problem(place, str(error)))
        else:
            yield model.label


def _model(text: str) -> ModelRef:
    """`provider:name[@endpoint]`, or a name as OpenRouter has it."""
    name = text.partition("@http")[0]
    provider, colon, _ = name.partition(":")
    # in `maker/model:free` the colon stands before a tag
    if "/" in provider or (colon and provider in PROVIDERS):
        return parse_model(text, ROUTER, PROVIDERS)
    if colon:
        raise UsageError(f"{text!r}: no provider {provider!r}; {nearest(provider, PROVIDERS)}")
    listed = ", ".join(sorted(PROVIDERS))
    raise UsageError(f"{text!r} says no provider; write provider:model, with one of {listed}")
