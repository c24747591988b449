"""WADO-RS: instances, frames, series and studies as small pictures (PS3.18 10.4.1.1.4)."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.dependencies import NodeParameter
from api.dicomweb.addresses import InstanceParameter, SeriesParameter, StudyParameter
from api.dicomweb.objects import ObjectsParameter
from api.dicomweb.pictures import (
    PICTURES,
    OptionsParameter,
    first_picture,
    one_frame,
    picture,
    shown_frame,
)
from api.dicomweb.rendering_options import THUMBNAIL
from api.dicomweb.root import ROOT

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])
_INSTANCE: Final = "/studies/{study}/series/{series}/instances/{instance}"


@ROUTER.get(
    f"{_INSTANCE}/frames/{{frames}}/thumbnail",
    summary="A frame as a small picture (WADO-RS)",
    response_class=Response,
    responses=PICTURES,
)
def frame_thumbnail(
    request: Request,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    options: OptionsParameter,
    frames: str,
) -> Response:
    """Return a frame as a small picture."""
    number = one_frame(frames, objects, instance)
    return picture(request, objects, instance, number, options.within(THUMBNAIL))


@ROUTER.get(
    f"{_INSTANCE}/thumbnail",
    summary="An instance as a small picture (WADO-RS)",
    response_class=Response,
    responses=PICTURES,
)
def instance_thumbnail(
    request: Request,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    options: OptionsParameter,
) -> Response:
    """Return the frame that stands for an instance as a small picture."""
    number = shown_frame(objects, instance)
    return picture(request, objects, instance, number, options.within(THUMBNAIL))


@ROUTER.get(
    "/studies/{study}/series/{series}/thumbnail",
    summary="A series as a small picture (WADO-RS)",
    response_class=Response,
    responses=PICTURES,
)
def series_thumbnail(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: SeriesParameter,
    options: OptionsParameter,
) -> Response:
    """Return a small picture of the first instance of a series that has one."""
    return first_picture(request, node, objects, resource, options.within(THUMBNAIL))


@ROUTER.get(
    "/studies/{study}/thumbnail",
    summary="A study as a small picture (WADO-RS)",
    response_class=Response,
    responses=PICTURES,
)
def study_thumbnail(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    resource: StudyParameter,
    options: OptionsParameter,
) -> Response:
    """Return a small picture of the first instance of a study that has one."""
    return first_picture(request, node, objects, resource, options.within(THUMBNAIL))
