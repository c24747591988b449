"""Scoring tensors that come over HTTP, whatever the protocol."""
