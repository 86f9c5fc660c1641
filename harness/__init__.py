"""Mintmark: benchmarks coding agents on real repository tasks and mints the proof."""

__version__ = "0.1.0"
