"""Values for tests, built with one call and changed by keyword."""
