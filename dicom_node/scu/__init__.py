"""DICOM services we use."""
