"""Invoices, instalments and payments."""

__version__ = "4.7.0"
