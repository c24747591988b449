"""The values that cross rooms: frozen dataclasses of NumPy arrays, free of DICOM, HTTP and TensorFlow."""
