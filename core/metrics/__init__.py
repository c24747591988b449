"""What monitors are told: counted from the change feed, or looked up when they ask."""
