"""Simulated eyes: fields, profiles and B-scans."""
