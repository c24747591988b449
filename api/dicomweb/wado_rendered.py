"""WADO-RS: instances and frames as pictures, and PDF as it is (PS3.18 10.4.1.1.3)."""

import io
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from api.dependencies import NodeParameter
from api.dicomweb.accepting import read_accept
from api.dicomweb.addresses import (
    InstanceParameter,
    Resource,
    SeriesParameter,
    StudyParameter,
)
from api.dicomweb.objects import KeptObjects, ObjectsParameter
from api.dicomweb.rendering_options import THUMBNAIL, RenderingOptions, read_options
from api.dicomweb.root import ROOT
from api.dicomweb.streamed import cached, etag, span_of, unchanged
from api.dicomweb.wado_frames import check_numbers, read_numbers
from api.errors import NotAcceptable, ParameterInvalid
from api.schemas.problem import problems
from core.errors import RecordNotFound
from dicom_node.errors import ObjectUnreadable, PixelsUnreadable
from dicom_node.storage.bulk_value import PDF, BulkValue, find_document
from dicom_node.storage.kept_object import Span
from dicom_node.storage.rendering import render, representative_frame
from dicom_node.storage.selection import Selected

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])
_INSTANCE: Final = "/studies/{study}/series/{series}/instances/{instance}"
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_PICTURES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 404, 406, 410),
    200: {"description": "The picture", "content": dict.fromkeys(_FORMATS, _BINARY)},
    304: {"description": "The client has it already"},
}
_RESPONSES: Final = {
    **_PICTURES,
    200: {
        "description": "The picture, or the PDF that the object encapsulates",
        "content": dict.fromkeys((*_FORMATS, PDF), _BINARY),
    },
}
#: Instances looked at for one that can stand for a study.
_TRIED: Final = 20

OptionsParameter = Annotated[RenderingOptions, Depends(read_options)]


@ROUTER.get(
    f"{_INSTANCE}/rendered",
    summary="An instance as a picture, or as PDF (WADO-RS)",
    response_class=Response,
    responses=_RESPONSES,
)
def rendered_instance(
    request: Request,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    options: OptionsParameter,
) -> Response:
    """Return the frame that stands for an instance as a picture; an encapsulated PDF as it is."""
    document = find_document(objects.header(instance))
    if document is not None:
        return _document(request, objects, instance, document)
    number = _representative(objects, instance)
    return _picture(request, objects, instance, number, options)


@ROUTER.get(
    f"{_INSTANCE}/frames/{{frames}}/rendered",
    summary="A frame as a picture (WADO-RS)",
    response_class=Response,
    responses=_PICTURES,
)
def rendered_frame(
    request: Request,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    options: OptionsParameter,
    frames: str,
) -> Response:
    """Return a frame as a picture."""
    return _picture(request, objects, instance, _one(frames, objects, instance), options)


@ROUTER.get(
    f"{_INSTANCE}/frames/{{frames}}/thumbnail",
    summary="A frame as a small picture (WADO-RS)",
    response_class=Response,
    responses=_PICTURES,
)
def frame_thumbnail(
    request: Request,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    options: OptionsParameter,
    frames: str,
) -> Response:
    """Return a frame as a small picture."""
    number = _one(frames, objects, instance)
    return _picture(request, objects, instance, number, options.within(THUMBNAIL))


@ROUTER.get(
    f"{_INSTANCE}/thumbnail",
    summary="An instance as a small picture (WADO-RS)",
    response_class=Response,
    responses=_PICTURES,
)
def instance_thumbnail(
    request: Request,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    options: OptionsParameter,
) -> Response:
    """Return the frame that stands for an instance as a small picture."""
    number = _representative(objects, instance)
    return _picture(request, objects, instance, number, options.within(THUMBNAIL))


@ROUTER.get(
    "/studies/{study}/series/{series}/thumbnail",
    summary="A series as a small picture (WADO-RS)",
    response_class=Response,
    responses=_PICTURES,
)
def series_thumbnail(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: SeriesParameter,
    options: OptionsParameter,
) -> Response:
    """Return a small picture of the first instance of a series that has one."""
    return _first(request, node, objects, resource, options.within(THUMBNAIL))


@ROUTER.get(
    "/studies/{study}/thumbnail",
    summary="A study as a small picture (WADO-RS)",
    response_class=Response,
    responses=_PICTURES,
)
def study_thumbnail(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: StudyParameter,
    options: OptionsParameter,
) -> Response:
    """Return a small picture of the first instance of a study that has one."""
    return _first(request, node, objects, resource, options.within(THUMBNAIL))


@ROUTER.get(
    "/studies/{study}/series/{series}/rendered",
    summary="A series as a picture (WADO-RS)",
    response_class=Response,
    responses=_PICTURES,
)
def rendered_series(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: SeriesParameter,
    options: OptionsParameter,
) -> Response:
    """Return the picture that stands for a series: of its first instance that has one."""
    return _first(request, node, objects, resource, options)


@ROUTER.get(
    "/studies/{study}/rendered",
    summary="A study as a picture (WADO-RS)",
    response_class=Response,
    responses=_PICTURES,
)
def rendered_study(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: StudyParameter,
    options: OptionsParameter,
) -> Response:
    """Return the picture that stands for a study: of its first instance that has one."""
    return _first(request, node, objects, resource, options)


def _first(
    request: Request,
    node: NodeParameter,
    objects: KeptObjects,
    resource: Resource,
    options: RenderingOptions,
) -> Response:
    tried = zip(range(_TRIED), resource.selection.instances(node.database), strict=False)
    for _, selected in tried:
        try:
            number = 0 if selected.is_removed else _representative(objects, selected)
        except (PixelsUnreadable, ObjectUnreadable):
            continue
        if number:
            return _picture(request, objects, selected, number, options)
    raise RecordNotFound("Nothing that can be shown is kept under those UIDs")


def _one(frames: str, objects: KeptObjects, instance: Selected) -> int:
    numbers: Sequence[int] = read_numbers(frames)
    if len(numbers) != 1:
        raise ParameterInvalid("frames", "must be one frame: a picture shows no more")
    check_numbers(numbers, len(objects.table(instance)))
    return numbers[0]


def _representative(objects: KeptObjects, instance: Selected) -> int:
    frames = len(objects.table(instance))
    return representative_frame(objects.header(instance).header, frames)


def _picture(
    request: Request,
    objects: KeptObjects,
    instance: Selected,
    number: int,
    options: RenderingOptions,
) -> Response:
    media_type = _choose(request)
    headers = cached(etag(instance.digest, str(number), media_type, repr(options)))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    frame = objects.decoded_frame(instance, number)
    header = objects.header(instance).header
    picture = render(frame, header, number, options.window, options.viewport)
    buffer = io.BytesIO()
    picture.save(buffer, _FORMATS[media_type], **options.saving(media_type))
    return Response(buffer.getvalue(), media_type=media_type, headers=headers)


def _choose(request: Request) -> str:
    for accepted in read_accept(request.headers.get("accept"), request.query_params.get("accept")):
        for offer in _FORMATS:
            if accepted.fits(offer) and accepted.is_multipart is not True:
                return offer
    raise NotAcceptable(f"Pictures come as {' or '.join(_FORMATS)}")


def _document(
    request: Request, objects: KeptObjects, instance: Selected, document: BulkValue
) -> Response:
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
