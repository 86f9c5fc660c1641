"""The reports on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from stockroom import reports
from stockroom.catalogue import load
from stockroom.reordering import Reordering


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="stockroom")
    parser.add_argument("report", choices=["low", "value", "buy"])
    parser.add_argument("csv", type=Path, help="opening stock and price list")
    options = parser.parse_args(argv)
    catalogue, stock = load(options.csv)
    if options.report == "low":
        print("\n".join(reports.low_stock(stock, catalogue)))
    elif options.report == "value":
        print(f"{reports.stock_value_cents(stock, catalogue) / 100:.2f}")
    else:
        for suggestion in Reordering(stock).suggestions():
            print(f"{suggestion.sku:<12}{suggestion.quantity:>6}")
    return 0
