"""Model clients on the providers' own libraries."""
