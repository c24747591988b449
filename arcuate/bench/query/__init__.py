"""Measures queries: ours and Orthanc's on the same rows, in turn."""
