"""Where results go: destinations, rules, and what became of each delivery."""
