"""WADO-RS: the bulk values that metadata links to (PS3.18 10.4.1.1.5)."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.dependencies import Node, NodeParameter
from api.dicomweb.accepting import Accepted, read_accept
from api.dicomweb.addresses import InstanceParameter
from api.dicomweb.byte_range import ByteRange, read_range
from api.dicomweb.frame_media_types import OCTET_STREAM, media_type_of
from api.dicomweb.objects import KeptObjects, ObjectsParameter
from api.dicomweb.root import ROOT, root_of
from api.dicomweb.streamed import Part, cached, etag, multipart, span_of, unchanged
from api.dicomweb.wado_instances import location_of
from api.errors import NotAcceptable, ParameterInvalid
from api.schemas.problem import problems
from dicom_node.storage.bulk_value import PDF, BulkValue, find_bulk_value, is_bulk_path
from dicom_node.storage.frames import is_encapsulated
from dicom_node.storage.kept_object import Span
from dicom_node.storage.selection import Selected

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 404, 406, 410, 416),
    200: {
        "description": "The value; documents by their own media type",
        "content": {OCTET_STREAM: _BINARY, PDF: _BINARY, "multipart/related": _BINARY},
    },
    206: {"description": "The bytes of the value that `Range` names"},
    304: {"description": "The client has it already"},
}


@ROUTER.get(
    "/studies/{study}/series/{series}/instances/{instance}/bulkdata/{path:path}",
    summary="A bulk value of an instance (WADO-RS)",
    response_class=Response,
    responses=_RESPONSES,
)
def retrieve_bulkdata(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    path: str,
) -> Response:
    """Return a bulk value by its tag; nested ones by tag, item from 1, tag, and so on."""
    if not is_bulk_path(path):
        raise ParameterInvalid("path", "must be a tag of 8 hexadecimal digits, or tag/item/tag")
    kept = objects.header(instance)
    if int(path[:8], 16) == kept.pixels_tag and kept.pixels_length is None:
        return _encapsulated(request, node, objects, instance)
    value = find_bulk_value(kept, path)
    is_multipart = _choose(request, value.media_type)
    headers = cached(etag(instance.digest, path, str(is_multipart)))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    if is_multipart:
        location = f"{location_of(root_of(request), instance).url}/bulkdata/{path}"
        whole = _read(objects, instance, value, ByteRange(0, value.length))
        part = Part(value.media_type, location, whole, value.length)
        return multipart([part], value.media_type, headers)
    return _single(request, objects, instance, value, headers)


def _single(
    request: Request,
    objects: KeptObjects,
    instance: Selected,
    value: BulkValue,
    headers: dict[str, str],
) -> Response:
    asked = read_range(_range_of(request, headers), value.length)
    wanted = asked or ByteRange(0, value.length)
    headers |= {"Accept-Ranges": "bytes", "Content-Length": str(wanted.length)}
    if asked is not None:
        headers["Content-Range"] = f"bytes {asked.start}-{asked.end - 1}/{value.length}"
    return StreamingResponse(
        _read(objects, instance, value, wanted),
        status_code=200 if asked is None else 206,
        media_type=value.media_type,
        headers=headers,
    )


def _range_of(request: Request, headers: dict[str, str]) -> str | None:
    """Return the range asked for, None where the client holds another value (`If-Range`)."""
    held = request.headers.get("if-range", headers["ETag"]).strip()
    return request.headers.get("range") if held == headers["ETag"] else None


def _choose(request: Request, media_type: str) -> bool:
    """Return whether the value comes in parts.

    Raises
    ------
    NotAcceptable
        If its media type is not accepted.
    """
    for accepted in read_accept(request.headers.get("accept"), request.query_params.get("accept")):
        if accepted.fits(media_type) or accepted.name == OCTET_STREAM:
            return accepted.is_multipart is True
    raise NotAcceptable(f"This value comes as {media_type}")


def _read(
    objects: KeptObjects, instance: Selected, value: BulkValue, wanted: ByteRange
) -> Iterator[bytes]:
    if value.span is None:
        yield value.content[wanted.start : wanted.end]
        return
    span = Span(value.span.start + wanted.start, wanted.length)
    yield from span_of(objects.opened(instance), span)


def _encapsulated(
    request: Request, node: Node, objects: KeptObjects, instance: Selected
) -> Response:
    """Return compressed pixels: a part for each frame, as it is stored."""
    own = instance.transfer_syntax_uid
    media_type = media_type_of(own)
    if not any(_takes_parts(one, media_type) for one in read_accept(request.headers.get("accept"))):
        raise NotAcceptable(f'These pixels come as multipart/related; type="{media_type}"')
    headers = cached(etag(instance.digest, "pixels"))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    assert is_encapsulated(own)  # noqa: S101 - their length is undefined
    url = location_of(root_of(request), instance).url
    parts = (
        Part(f"{media_type}; transfer-syntax={own}", f"{url}/frames/{number}", [frame], len(frame))
        for number in range(1, len(objects.table(instance)) + 1)
        for frame in [objects.stored_frame(instance, number)]
    )
    return multipart(parts, media_type, headers)


def _takes_parts(accepted: Accepted, media_type: str) -> bool:
    fits = accepted.fits(media_type) or accepted.name == OCTET_STREAM
    return fits and accepted.is_multipart is not False
