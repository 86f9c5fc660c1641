"""Templates: composed into prompts, minted into snapshots."""
