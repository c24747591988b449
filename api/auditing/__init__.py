"""Recording who was answered what: one place for every route and page."""
