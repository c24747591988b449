"""The models: one file per network, and the shipped weights."""
