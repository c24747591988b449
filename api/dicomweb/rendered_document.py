"""An encapsulated PDF as the answer of a rendered instance: as it is (PS3.18 8.7.4)."""

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.dicomweb.accepting import read_accept
from api.dicomweb.objects import KeptObjects
from api.dicomweb.streamed import cached, etag, span_of, unchanged
from api.errors import NotAcceptable
from dicom_node.storage.bulk_value import PDF, BulkValue
from dicom_node.storage.kept_object import Span
from dicom_node.storage.selection import Selected


def document_answer(
    request: Request, objects: KeptObjects, instance: Selected, document: BulkValue
) -> Response:
    """Return the document inside an instance, whose length a client learns before it.

    Raises
    ------
    NotAcceptable
        If no PDF is accepted.
    """
    accepted = read_accept(request.headers.get("accept"), request.query_params.get("accept"))
    if not any(one.fits(PDF) and one.is_multipart is not True for one in accepted):
        raise NotAcceptable(f"This object is shown as {PDF}")
    headers = cached(etag(instance.digest, PDF)) | {"Content-Length": str(document.length)}
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    if document.span is None:
        return Response(document.content[: document.length], media_type=PDF, headers=headers)
    span = Span(document.span.start, document.length)
    content = span_of(objects.opened(instance), span)
    return StreamingResponse(content, media_type=PDF, headers=headers)
