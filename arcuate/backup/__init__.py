"""Back-ups of a node: its record and all its files, and the way back."""
