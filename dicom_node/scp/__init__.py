"""DICOM services we provide."""
