"""The exercise's own tests run in sandboxes, not here."""

collect_ignore = ["project"]
