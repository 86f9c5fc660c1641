"""prices.json5: what the user knows about prices, put before the price library's table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.domain.price import Price
from harness.domain.provider import PROVIDERS
from harness.errors import BadFile, nearest
from harness.load.files import read_document
from harness.load.places import Problem, shown
from harness.load.schema import PRICES, schema_problems

FILE = "prices.json5"


def load_prices(path: Path) -> Mapping[str, Price]:
    """Prices by the label of their model; raises BadFile with every problem of the file."""
    document = read_document(path)
    raw: Any = document.value
    labels = raw if isinstance(raw, dict) else ()
    problems = (*schema_problems(raw, PRICES), *_label_problems(labels))
    if problems:
        raise BadFile(path, document.report(problems))
    return {label: _price(given) for label, given in raw.items()}


def _label_problems(labels: Iterable[str]) -> Iterator[Problem]:
    for label in labels:
        provider, _, name = label.partition(":")
        if not name or name.startswith("@") or name != name.strip():
            text = f"{shown(label)} is no model; write provider:name or provider:name@endpoint"
            yield Problem((label,), text)
        elif provider not in PROVIDERS:
            text = f"no provider {shown(provider)}; {nearest(provider, PROVIDERS)}"
            yield Problem((label,), text)


def _price(given: Mapping[str, Any]) -> Price:
    return Price(
        input_usd=_usd(given["input"]),
        output_usd=_usd(given["output"]),
        cached_usd=_usd_or_none(given.get("cached")),
        cache_write_usd=_usd_or_none(given.get("cache_write")),
        cache_write_1h_usd=_usd_or_none(given.get("cache_write_1h")),
        note=given.get("note", ""),
    )


def _usd_or_none(number: float | None) -> Decimal | None:
    return None if number is None else _usd(number)


def _usd(number: float) -> Decimal:
    # as it is written: 0.1 is a tenth, and not the nearest binary fraction
    return Decimal(repr(number))
