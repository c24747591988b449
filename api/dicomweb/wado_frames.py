"""WADO-RS: frames of an instance, each read without the others (PS3.18 10.4.1.1.6)."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from fastapi import APIRouter, Request, Response
from PIL import Image
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from api.dependencies import NodeParameter
from api.dicomweb.accepting import ANY, AS_STORED, Accepted, read_accept
from api.dicomweb.addresses import InstanceParameter
from api.dicomweb.frame_media_types import OCTET_STREAM, media_type_of
from api.dicomweb.objects import KeptObjects, ObjectsParameter
from api.dicomweb.root import ROOT, root_of
from api.dicomweb.streamed import Part, cached, etag, multipart, unchanged
from api.dicomweb.wado_instances import location_of
from api.errors import FrameNotFound, NotAcceptable, ParameterInvalid
from api.schemas.problem import problems
from dicom_node.errors import PixelsUnreadable
from dicom_node.storage.frames import is_encapsulated
from dicom_node.storage.selection import Selected

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])
FRAMES_PATH: Final = "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}"
_JPEG: Final = "image/jpeg"
_JPEG_QUALITY: Final = 95
_LIST: Final = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*", re.ASCII)
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}


@dataclass(frozen=True)
class _Form:
    """How frames go out.

    Attributes
    ----------
    syntax
        The transfer syntax of each part.
    """

    media_type: str
    syntax: str
    is_stored: bool
    is_multipart: bool


@ROUTER.get(
    FRAMES_PATH,
    summary="Frames of an instance (WADO-RS)",
    response_class=Response,
    responses={
        **problems(400, 404, 406, 410),
        200: {
            "description": "The frames, a part each; one alone as it is, where that is asked for",
            "content": {"multipart/related": _BINARY, OCTET_STREAM: _BINARY},
        },
        304: {"description": "The client has it already"},
    },
)
def retrieve_frames(
    request: Request,
    node: NodeParameter,
    objects: ObjectsParameter,
    instance: InstanceParameter,
    frames: str,
) -> Response:
    """Return frames by their numbers from 1, as `1` or `1,3`: as stored, or decompressed."""
    numbers = read_numbers(frames)
    form = _choose(request, instance, objects, len(numbers))
    headers = cached(etag(instance.digest, frames, repr(form)))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    check_numbers(numbers, len(objects.table(instance)))
    location = f"{location_of(root_of(request), instance).url}/frames/"
    if not form.is_multipart:
        content = _read(objects, instance, form, numbers[0])
        return Response(content, media_type=form.media_type, headers=headers)
    content_type = f"{form.media_type}; transfer-syntax={form.syntax}"
    if len(numbers) == 1:
        content = _read(objects, instance, form, numbers[0])
        part = Part(content_type, f"{location}{numbers[0]}", [content], len(content))
        return multipart([part], form.media_type, headers)
    parts = _parts(objects, instance, form, numbers, location)
    return multipart(parts, form.media_type, headers)


def read_numbers(frames: str) -> Sequence[int]:
    """Return the numbers of a list of frames.

    Raises
    ------
    ParameterInvalid
        If it is none.
    """
    numbers = [int(text) for text in frames.split(",")] if _LIST.fullmatch(frames) else [0]
    if min(numbers) < 1:
        raise ParameterInvalid("frames", "must be numbers from 1, separated by commas")
    return numbers


def check_numbers(numbers: Sequence[int], frames: int) -> None:
    """Check that an object has the frames that are asked for.

    Raises
    ------
    FrameNotFound
        If it has not.
    """
    if max(numbers) > frames:
        raise FrameNotFound(f"`frames`: the object has {frames}, counted from 1")


def _choose(request: Request, instance: Selected, objects: KeptObjects, count: int) -> _Form:
    own = instance.transfer_syntax_uid
    for accepted in read_accept(request.headers.get("accept"), request.query_params.get("accept")):
        form = _form_of(accepted, own)
        if form is None or (count > 1 and not form.is_multipart):
            continue
        if form.media_type == _JPEG and not form.is_stored and not _has_8_bits(objects, instance):
            continue
        return form
    raise NotAcceptable(
        f"The frames come as {OCTET_STREAM} with transfer-syntax=* (as stored, {own}) or "
        f"{ExplicitVRLittleEndian} (uncompressed), or as {media_type_of(own)}"
    )


def _form_of(accepted: Accepted, own: str) -> _Form | None:
    """Return how frames of a transfer syntax go out as one accepted type, None if they cannot."""
    wanted, is_multipart = accepted.transfer_syntax, accepted.is_multipart is not False
    stored = media_type_of(own)
    name = OCTET_STREAM if accepted.name in {ANY, "application/*"} else accepted.name
    if name == "image/*":
        name = stored if stored != OCTET_STREAM else _JPEG
    if name == OCTET_STREAM and wanted in {AS_STORED, own} and own != ExplicitVRBigEndian:
        return _Form(name, own, is_stored=True, is_multipart=is_multipart)
    if name == OCTET_STREAM and wanted in {"", AS_STORED, str(ExplicitVRLittleEndian)}:
        plain = not is_encapsulated(own) and own != ExplicitVRBigEndian
        return _Form(name, str(ExplicitVRLittleEndian), plain, is_multipart)
    if name == stored and wanted in {"", AS_STORED, own}:
        return _Form(name, own, is_stored=True, is_multipart=is_multipart)
    if name == _JPEG and wanted in {"", AS_STORED, str(JPEGBaseline8Bit)}:
        return _Form(name, str(JPEGBaseline8Bit), is_stored=False, is_multipart=is_multipart)
    return None


def _has_8_bits(objects: KeptObjects, instance: Selected) -> bool:
    return bool(objects.header(instance).header.get("BitsAllocated") == 8)


def _parts(
    objects: KeptObjects, instance: Selected, form: _Form, numbers: Sequence[int], location: str
) -> Iterator[Part]:
    content_type = f"{form.media_type}; transfer-syntax={form.syntax}"
    for number in numbers:
        content = _read(objects, instance, form, number)
        yield Part(content_type, f"{location}{number}", [content], len(content))


def _read(objects: KeptObjects, instance: Selected, form: _Form, number: int) -> bytes:
    if form.is_stored:
        return objects.stored_frame(instance, number)
    frame = objects.decoded_frame(instance, number)
    if form.media_type == _JPEG:
        return _as_jpeg(np.asarray(frame))
    return frame.astype(frame.dtype.newbyteorder("<"), copy=False).tobytes()


def _as_jpeg(frame: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> bytes:
    if frame.dtype != np.uint8:
        raise PixelsUnreadable("Frames of more than 8 bits do not come as JPEG")
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
