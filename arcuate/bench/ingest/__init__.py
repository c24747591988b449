"""How fast instances are received, kept and acknowledged, by us and by others."""
