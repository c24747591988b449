"""Telling monitors how this node is."""
