"""Talking HTTP."""
