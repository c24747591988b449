"""Frames as pictures: which one is shown, in what format, and what it says to caches."""

import io
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response

from api.dependencies import Node
from api.dicomweb.accepting import read_accept
from api.dicomweb.addresses import Resource
from api.dicomweb.objects import KeptObjects
from api.dicomweb.rendering_options import RenderingOptions, read_options
from api.dicomweb.streamed import cached, etag, unchanged
from api.dicomweb.wado_frames import check_numbers, read_numbers
from api.errors import NotAcceptable, ParameterInvalid
from api.schemas.problem import problems
from core.errors import RecordNotFound
from dicom_node.errors import ObjectUnreadable, PixelsUnreadable
from dicom_node.storage.rendering import render, representative_frame
from dicom_node.storage.selection import Selected

FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
#: How a route says that it answers with a picture.
PICTURES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 404, 406, 410),
    200: {"description": "The picture", "content": dict.fromkeys(FORMATS, BINARY)},
    304: {"description": "The client has it already"},
}
#: Instances looked at for one that can stand for a study.
_TRIED: Final = 20

OptionsParameter = Annotated[RenderingOptions, Depends(read_options)]


def picture(
    request: Request,
    objects: KeptObjects,
    instance: Selected,
    number: int,
    options: RenderingOptions,
) -> Response:
    """Return a frame as a picture, in the format that is asked for."""
    media_type = _choose(request)
    headers = cached(etag(instance.digest, str(number), media_type, repr(options)))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    frame = objects.decoded_frame(instance, number)
    header = objects.header(instance).header
    drawn = render(frame, header, number, options.window, options.viewport)
    buffer = io.BytesIO()
    drawn.save(buffer, FORMATS[media_type], **options.saving(media_type))
    return Response(buffer.getvalue(), media_type=media_type, headers=headers)


def first_picture(
    request: Request,
    node: Node,
    objects: KeptObjects,
    resource: Resource,
    options: RenderingOptions,
) -> Response:
    """Return the picture that stands for several instances: of the first that has one.

    Raises
    ------
    RecordNotFound
        If none of the first few can be shown.
    """
    tried = zip(range(_TRIED), resource.selection.instances(node.database), strict=False)
    for _, selected in tried:
        try:
            number = 0 if selected.is_removed else shown_frame(objects, selected)
        except (PixelsUnreadable, ObjectUnreadable):
            continue
        if number:
            return picture(request, objects, selected, number, options)
    raise RecordNotFound("Nothing that can be shown is kept under those UIDs")


def one_frame(frames: str, objects: KeptObjects, instance: Selected) -> int:
    """Return the number of the one frame that a path names.

    Raises
    ------
    ParameterInvalid
        If it names several.
    FrameNotFound
        If there is none of that number.
    """
    numbers: Sequence[int] = read_numbers(frames)
    if len(numbers) != 1:
        raise ParameterInvalid("frames", "must be one frame: a picture shows no more")
    check_numbers(numbers, len(objects.table(instance)))
    return numbers[0]


def shown_frame(objects: KeptObjects, instance: Selected) -> int:
    """Return the number of the frame that stands for an instance, counting from 1."""
    frames = len(objects.table(instance))
    return representative_frame(objects.header(instance).header, frames)


def _choose(request: Request) -> str:
    for accepted in read_accept(request.headers.get("accept"), request.query_params.get("accept")):
        for offer in FORMATS:
            if accepted.fits(offer) and accepted.is_multipart is not True:
                return offer
    raise NotAcceptable(f"Pictures come as {' or '.join(FORMATS)}")
