"""Manifests and lock files of npm, pnpm, yarn, bun and Python, read as data that anyone wrote."""
