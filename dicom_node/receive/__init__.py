"""The hot path of C-STORE: from the socket to a file, without pynetdicom in between."""
