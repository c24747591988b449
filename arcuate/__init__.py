"""The terminal face: one file per command, the supervisor and the demo."""
