"""The kinds of place results are sent to."""
