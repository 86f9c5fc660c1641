"""Price lists as suppliers send them."""

import csv
import io

from saltern_money import parse


def read_prices(text: str) -> dict[str, int]:
    """Cents by article, of lines such as "A-17;12.50".

    Raises ValueError for what is not an amount; fractions of a cent are none.
    """
    rows = csv.reader(io.StringIO(text), delimiter=";")
    return {article: parse(amount) for article, amount in rows}
