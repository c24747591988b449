"""Bodies of store requests (STOW-RS).

content, headers = multipart(file, file)          as every client sends it
multipart(file, boundary="b", quoted=False)       the parameters as they may also look
"""

from collections.abc import Iterator

BOUNDARY = "part-of-a-study"


def multipart(
    *files: bytes, boundary: str = BOUNDARY, quoted: bool = True
) -> tuple[bytes, dict[str, str]]:
    """Return a body with one part a file, and its headers."""
    return b"".join(multipart_chunks(*files, boundary=boundary)), content_type(boundary, quoted)


def multipart_chunks(*files: bytes, boundary: str = BOUNDARY) -> Iterator[bytes]:
    """Yield the same body in pieces."""
    delimiter = b"--" + boundary.encode()
    for file in files:
        yield delimiter + b"\r\nContent-Type: application/dicom\r\n\r\n"
        yield file
        yield b"\r\n"
    yield delimiter + b"--\r\n"


def content_type(boundary: str = BOUNDARY, quoted: bool = True) -> dict[str, str]:
    """Return the header that announces such a body."""
    parameters = {"type": "application/dicom", "boundary": boundary}
    mark = '"' if quoted else ""
    texts = [f"{name}={mark}{value}{mark}" for name, value in parameters.items()]
    return {"Content-Type": "; ".join(["multipart/related", *texts])}
