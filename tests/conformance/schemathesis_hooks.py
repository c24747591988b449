"""How schemathesis writes the bodies that are not JSON; loaded by its command line."""

import schemathesis


@schemathesis.serializer("multipart/related", "application/dicom")
def as_bytes(_context: object, value: object) -> bytes:
    """Return the generated value as it is: whatever it holds, it is a body somebody may send."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
