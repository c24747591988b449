"""The trend of one eye: every visit, and a line through those that can be compared."""
