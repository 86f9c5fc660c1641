"""Batches, runs, controls and artefacts, kept."""
