"""Readers of what a stranger sends, fed with anything: see docs/developing.md."""
