"""A folder for research: objects that name no one, and a table of their results."""
