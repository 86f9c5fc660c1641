"""Recurring meetings of teams that live in different time zones."""
