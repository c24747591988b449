"""Making objects nobody's: PS3.15 Annex E, for research."""
