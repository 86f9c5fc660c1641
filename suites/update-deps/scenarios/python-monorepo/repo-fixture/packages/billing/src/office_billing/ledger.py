"""The invoices that were posted, and what is still owed on them."""

from office_notify.hub import Hub
from saltern_bankfeed import payments

from office_billing.invoice import Invoice


class Ledger:
    """Open amounts in cents, by invoice number."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.open_cents: dict[str, int] = {}

    def post(self, invoice: Invoice) -> int:
        """How many receivers of "invoice.posted" were told.

        When one of them raises, the invoice is not in the ledger and the exception goes on.
        """
        told = self._hub.announce("invoice.posted", invoice.as_facts())
        self.open_cents[invoice.number] = invoice.total_cents
        return told

    def settle(self, statement: str) -> list[str]:
        """Book the payments of a bank statement; references of unknown invoices come back."""
        unknown = []
        for payment in payments(statement):
            if payment.reference in self.open_cents:
                self.open_cents[payment.reference] -= payment.cents
            else:
                unknown.append(payment.reference)
        return unknown
