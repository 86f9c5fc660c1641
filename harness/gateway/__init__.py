"""The model gateway: every token of every agent goes through it."""
