"""Our kept reports as answers: the DICOM file, or the page inside it."""

from io import BytesIO
from typing import Any, Final

from fastapi.responses import Response
from PIL import Image
from pydicom import dcmread

from api.dependencies import Node
from api.schemas.problem import problems

DICOM: Final = "application/dicom"
PDF: Final = "application/pdf"
PNG: Final = "image/png"


def returns(media_type: str) -> dict[str, Any]:
    """Return how a route says that it answers with a document of a media type, or with 404."""
    is_json = media_type.endswith("json")
    schema = {"type": "object"} if is_json else {"type": "string", "format": "binary"}
    content = {media_type: {"schema": schema}}
    answers: dict[Any, Any] = {**problems(404), 200: {"content": content}}
    return {"response_class": Response, "responses": answers}


def dicom_file(node: Node, storage_key: str, name: str) -> Response:
    """Return a kept report byte for byte."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.dcm"'}
    return Response(node.storage.read(storage_key), media_type=DICOM, headers=headers)


def kept_page(node: Node, storage_key: str) -> bytes:
    """Return the page inside a kept document."""
    document = dcmread(BytesIO(node.storage.read(storage_key)))
    return bytes(document.EncapsulatedDocument[: document.EncapsulatedDocumentLength])


def kept_picture(node: Node, storage_key: str) -> bytes:
    """Return a kept picture of ours as PNG."""
    image = dcmread(BytesIO(node.storage.read(storage_key)))
    buffer = BytesIO()
    picture = Image.frombytes("RGB", (image.Columns, image.Rows), image.PixelData)
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def page(content: bytes, name: str) -> Response:
    """Return a page, to be shown."""
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(content, media_type=PDF, headers=headers)
