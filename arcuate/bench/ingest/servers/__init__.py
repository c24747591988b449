"""The receivers that are measured, one file each."""
