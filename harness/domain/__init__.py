"""Values and arithmetic; standard library only."""
