"""One scan's way through the node, as spans of a trace."""
