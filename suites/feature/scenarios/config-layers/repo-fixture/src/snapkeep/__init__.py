"""Keep the right backups, remove the rest."""

__version__ = "1.6.1"
