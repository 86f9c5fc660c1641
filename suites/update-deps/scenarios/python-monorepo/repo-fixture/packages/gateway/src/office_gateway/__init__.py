"""Keeps clients from calling too often."""

__version__ = "4.7.0"
