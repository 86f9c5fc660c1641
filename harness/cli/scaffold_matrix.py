"""What `bench new matrix` writes."""

from __future__ import annotations


def matrix_of(suite: str) -> str:
    """A matrix of a suite that runs as it is, with everything else beside it as comments."""
    return f"""\
# Which runs: every combination of the axes. Every field: docs/formats.md
#
#   bench plan --matrix FILE         what it would make, cost and take
#   bench run --matrix FILE --jobs auto --max-batch-cost 20

# Globs of suite/scenario; '*/*' is every one.
scenarios: ["{suite}/*"]

# L0 L1 L2 L3 Lx, or all; a scenario without a prompt for one of them is passed over.
tiers: [L1]

# An agent that needs a model is run with each of `models`, or with its own.
agents:
  - oracle
  - echo
#  - claude-code
#  - {{agent: codex, models: [gpt-5]}}
# models: [claude-sonnet-4-5]

# none is the agent alone: what specialists are compared with.
specialists: [none]

iterations: 1

# For every cell: temperature, max_output_tokens, reasoning_effort, seed, max_cost (USD a run),
# max_tokens, max_requests, max_turns, user, judges, only, skip, skip_warmup.
defaults:
  max_cost: 1.00

# Cells that are left out: all that are like one of these on every axis that it names.
# exclude:
#   - {{agents: echo, tiers: [L0, Lx]}}

# Cells beside the product; an axis that is not named is that of the product.
# include:
#   - {{scenarios: {suite}/some-scenario, tiers: L3, agents: oracle, iterations: 5}}

# What is special about some cells; a later entry has the last word.
# overrides:
#   - where: {{scenarios: "{suite}/*", agents: codex}}
#     max_cost: 3.00
#     iterations: 3
"""
