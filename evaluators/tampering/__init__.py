"""Signs of tampering in a patch: one module for each group of families."""
