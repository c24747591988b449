"""DICOM files on disks: found, judged whole, taken in."""
