"""What computes a field from a network's files: one file for each library that can run them."""
