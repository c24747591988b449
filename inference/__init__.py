"""From a scan to a prediction."""
