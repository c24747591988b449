"""Measures retrieving over HTTP: ours and Orthanc's, the same object, in turn."""
