"""Announcements inside the office, messages to the outside."""

__version__ = "4.7.0"
