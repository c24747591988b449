"""WADO-RS: whole instances of a study, a series, or one (PS3.18 10.4)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydicom.uid import ExplicitVRLittleEndian

from api.dependencies import Node, NodeParameter
from api.dicomweb.accepting import AS_STORED, Accepted, read_accept
from api.dicomweb.addresses import (
    InstanceParameter,
    Resource,
    SeriesParameter,
    StudyParameter,
)
from api.dicomweb.media_types import DICOM
from api.dicomweb.objects import KeptObjects, ObjectsParameter
from api.dicomweb.retrieve_urls import Location
from api.dicomweb.root import ROOT, root_of
from api.dicomweb.streamed import Part, cached, etag, multipart, span_of, unchanged
from api.errors import NotAcceptable
from api.schemas.problem import problems
from core.errors import RecordNotFound
from core.logs import get_logger
from dicom_node.errors import BytesRemoved, PixelsUnreadable
from dicom_node.storage.kept_object import Span
from dicom_node.storage.selection import Selected
from dicom_node.storage.uncompressed import UNCOMPRESSED

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])
_FILES: Final = {
    "description": 'DICOM files: `multipart/related; type="application/dicom"`, or one as '
    "`application/dicom`",
    "content": {
        "multipart/related": {"schema": {"type": "string", "format": "binary"}},
        DICOM: {"schema": {"type": "string", "format": "binary"}},
    },
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 404, 406, 410),
    200: _FILES,
    206: {**_FILES, "description": "Some are left out: retention removed them"},
    304: {"description": "The client has it already"},
}

_LOG: Final = get_logger(__name__)


@ROUTER.get(
    "/studies/{study}",
    summary="Instances of a study (WADO-RS)",
    response_class=Response,
    responses=RESPONSES,
)
def retrieve_study(
    request: Request, node: NodeParameter, objects: ObjectsParameter, resource: StudyParameter
) -> Response:
    """Return every instance of a study as it is stored, or in the transfer syntax asked for."""
    return _retrieve(request, node, objects, resource)


@ROUTER.get(
    "/studies/{study}/series/{series}",
    summary="Instances of a series (WADO-RS)",
    response_class=Response,
    responses=RESPONSES,
)
def retrieve_series(
    request: Request, node: NodeParameter, objects: ObjectsParameter, resource: SeriesParameter
) -> Response:
    """Return every instance of a series as it is stored, or in the transfer syntax asked for."""
    return _retrieve(request, node, objects, resource)


@ROUTER.get(
    "/studies/{study}/series/{series}/instances/{instance}",
    summary="One instance (WADO-RS)",
    response_class=Response,
    responses=RESPONSES,
)
def retrieve_instance(
    request: Request, node: NodeParameter, objects: ObjectsParameter, instance: InstanceParameter
) -> Response:
    """Return an instance as it is stored, or in the transfer syntax asked for."""
    accepted = _choose(request, [instance.transfer_syntax_uid])
    headers = cached(etag(instance.digest, accepted.transfer_syntax, str(accepted.is_multipart)))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    part = _Files(request, node, objects, accepted).part(instance)
    if accepted.is_multipart is not False:
        return multipart([part], DICOM, headers)
    if part.length is not None:
        headers["Content-Length"] = str(part.length)
    return StreamingResponse(iter(part.content), media_type=DICOM, headers=headers)


def _retrieve(request: Request, node: Node, objects: KeptObjects, resource: Resource) -> Response:
    encodings = resource.selection.encodings(node.database)
    accepted = _choose(request, [syntax for _, syntax in encodings], is_one=False)
    kept, removed, fingerprint = resource.selection.fingerprint(node.database)
    check_kept(kept, removed)
    headers = cached(etag(fingerprint, accepted.transfer_syntax))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    files = _Files(request, node, objects, accepted)
    answer = multipart(files.parts(resource), DICOM, headers)
    return partial(answer, removed)


def check_kept(kept: int, removed: int) -> None:
    """Check that there is something to send.

    Raises
    ------
    RecordNotFound
        If there is nothing; BytesRemoved where retention removed all of it.
    """
    if not kept and removed:
        raise BytesRemoved("Retention removed the files of every instance; send them again")
    if not kept:
        raise RecordNotFound("Nothing is kept under those UIDs")


def partial(answer: Response, removed: int) -> Response:
    """Say in an answer that something is left out, where that is so."""
    if removed:
        answer.status_code = 206
        answer.headers["Warning"] = f'299 - "{removed} instances were removed by retention"'
    return answer


def _choose(request: Request, syntaxes: Sequence[str], *, is_one: bool = True) -> Accepted:
    """Return the first that is accepted and can be had of all.

    Raises
    ------
    NotAcceptable
        If there is none.
    """
    own = {*syntaxes}
    for accepted in read_accept(request.headers.get("accept"), request.query_params.get("accept")):
        if not accepted.fits(DICOM) or (accepted.is_multipart is False and not is_one):
            continue
        wanted = accepted.transfer_syntax
        if wanted in {"", AS_STORED, *UNCOMPRESSED} or own <= {wanted}:
            return accepted
    raise NotAcceptable(
        'Instances come as multipart/related; type="application/dicom", as they are stored '
        f"(transfer-syntax=*) or in {', '.join(UNCOMPRESSED)}"
    )


class _Files:
    """The DICOM files of one answer."""

    def __init__(
        self, request: Request, node: Node, objects: KeptObjects, accepted: Accepted
    ) -> None:
        self._root = root_of(request)
        self._node = node
        self._objects = objects
        self._wanted = accepted.transfer_syntax

    def parts(self, resource: Resource) -> Iterator[Part]:
        for selected in resource.selection.instances(self._node.database):
            if not selected.is_removed:
                yield self.part(selected)

    def part(self, selected: Selected) -> Part:
        """Return an instance in the transfer syntax that is wanted.

        Raises
        ------
        PixelsUnreadable
            If it cannot be had in that; where none was named, it comes as it is stored.
        """
        stored = selected.transfer_syntax_uid
        syntax = self._wanted or str(ExplicitVRLittleEndian)
        if syntax in {AS_STORED, stored}:
            return self._as_stored(selected)
        try:
            return self._converted(selected, syntax)
        except PixelsUnreadable as error:
            _LOG.warning("not_converted", syntax=stored, error=str(error))
            if self._wanted:
                raise
            return self._as_stored(selected)

    def _as_stored(self, selected: Selected) -> Part:
        storage, key = self._node.storage, selected.storage_key
        length = storage.size(key)
        return Part(
            _content_type(selected.transfer_syntax_uid),
            self._location(selected),
            span_of(storage.open(key), Span(0, length)),
            length,
        )

    def _converted(self, selected: Selected, syntax: str) -> Part:
        converted = self._objects.uncompressing.convert(self._node.storage, selected, syntax)
        return Part(
            _content_type(syntax), self._location(selected), converted.chunks(), converted.length
        )

    def _location(self, selected: Selected) -> str:
        return location_of(self._root, selected).url


def location_of(root: str, selected: Selected) -> Location:
    """Return where an instance is found."""
    return Location(
        root,
        selected.study_instance_uid,
        selected.series_instance_uid,
        selected.sop_instance_uid,
    )


def _content_type(syntax: str) -> str:
    return f"{DICOM}; transfer-syntax={syntax}"
