"""Talking DICOM: the services we provide and use, and what we keep."""
