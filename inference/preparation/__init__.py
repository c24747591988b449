"""From a scan to a retinal nerve fibre layer profile."""
