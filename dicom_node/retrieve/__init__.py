"""Fetching instances from another archive: asked for by C-FIND, brought by C-GET or C-MOVE."""
