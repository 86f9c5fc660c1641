"""Views of the store: pure functions over records."""
