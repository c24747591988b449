"""Sending results out: reports are built here and kept beside the scan."""
