"""Keep the right backups, remove the rest."""

__version__ = "1.7.0"
