"""Price lists as suppliers send them."""

import csv
import io

from saltern_money import parse

from office_billing.amounts import to_cents


def read_prices(text: str) -> dict[str, int]:
    """Cents by article, of lines such as "A-17;12.50".

    Raises ValueError for what is not an amount; fractions of a cent are none.
    """
    rows = csv.reader(io.StringIO(text), delimiter=";")
    return {article: to_cents(parse(amount, places=2)) for article, amount in rows}
