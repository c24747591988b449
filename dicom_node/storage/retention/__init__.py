"""What is removed from the archive, when, and what never is."""
