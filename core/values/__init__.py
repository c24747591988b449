"""The values that cross rooms: frozen dataclasses, free of DICOM, HTTP and TensorFlow."""
