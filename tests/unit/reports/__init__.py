"""Tests of the reports, one file a module."""
