"""WADO-RS: instances and frames as pictures, and PDF as it is (PS3.18 10.4.1.1.3)."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.dependencies import NodeParameter
from api.dicomweb.addresses import InstanceParameter, SeriesParameter, StudyParameter
from api.dicomweb.objects import ObjectsParameter
from api.dicomweb.pictures import (
    BINARY,
    FORMATS,
    PICTURES,
    OptionsParameter,
    first_picture,
    one_frame,
    picture,
    shown_frame,
)
from api.dicomweb.rendered_document import document_answer
from api.dicomweb.root import ROOT
from dicom_node.storage.bulk_value import PDF, find_document

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])
_INSTANCE: Final = "/studies/{study}/series/{series}/instances/{instance}"
_RESPONSES: Final = {
    **PICTURES,
    200: {
        "description": "The picture, or the PDF that the object encapsulates",
        "content": dict.fromkeys((*FORMATS, PDF), BINARY),
    },
}


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
        return document_answer(request, objects, instance, document)
    number = shown_frame(objects, instance)
    return picture(request, objects, instance, number, options)


@ROUTER.get(
    f"{_INSTANCE}/frames/{{frames}}/rendered",
    summary="A frame as a picture (WADO-RS)",
    response_class=Response,
    responses=PICTURES,
)
def rendered_frame(
    request: Request,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    options: OptionsParameter,
    frames: str,
) -> Response:
    """Return a frame as a picture."""
    return picture(request, objects, instance, one_frame(frames, objects, instance), options)


@ROUTER.get(
    "/studies/{study}/series/{series}/rendered",
    summary="A series as a picture (WADO-RS)",
    response_class=Response,
    responses=PICTURES,
)
def rendered_series(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: SeriesParameter,
    options: OptionsParameter,
) -> Response:
    """Return the picture that stands for a series: of its first instance that has one."""
    return first_picture(request, node, objects, resource, options)


@ROUTER.get(
    "/studies/{study}/rendered",
    summary="A study as a picture (WADO-RS)",
    response_class=Response,
    responses=PICTURES,
)
def rendered_study(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: StudyParameter,
    options: OptionsParameter,
) -> Response:
    """Return the picture that stands for a study: of its first instance that has one."""
    return first_picture(request, node, objects, resource, options)
