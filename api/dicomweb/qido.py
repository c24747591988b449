"""QIDO-RS: searching studies, series and instances (PS3.18 10.6)."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from api.dependencies import Node, NodeParameter
from api.dicomweb.media_types import DICOM_JSON, choose_json
from api.dicomweb.record_json import record_json
from api.dicomweb.root import ROOT, root_of
from api.dicomweb.search_parameters import SearchParameters, read_search
from api.dicomweb.search_places import SearchPlaces, SearchPlacesParameter
from api.schemas.problem import problems
from core.audit.trail import note_count, note_patients
from dicom_node.storage.query.attribute import ATTRIBUTES
from dicom_node.storage.query.finding import Found, find
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.record import Record

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])

_STUDY: Final = frozenset(
    {"StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID"}
    | {"StudyDescription", "ModalitiesInStudy", "ReferringPhysicianName"}
    | {"PatientName", "PatientID", "PatientBirthDate", "PatientSex"}
    | {"NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"}
)
_SERIES: Final = frozenset(
    {"SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription"}
    | {"PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"}
    | {"RequestAttributesSequence", "NumberOfSeriesRelatedInstances"}
)
_INSTANCE: Final = frozenset(
    {"SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "NumberOfFrames"}
)
_UIDS: Final = frozenset({"StudyInstanceUID", "SeriesInstanceUID"})

_ARRAY: Final = {"schema": {"type": "array", "items": {"type": "object"}}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 406, 503),
    200: {
        "description": "The matches; none is an empty array",
        "content": {DICOM_JSON: _ARRAY, "application/json": _ARRAY},
    },
}


def _parameter(name: str, kind: str, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": {"type": kind},
        "description": text,
    }


_FOR_ALL: Final = (
    _parameter("limit", "integer", "At most so many results."),
    _parameter("offset", "integer", "Leave so many out before the first."),
    _parameter("includefield", "string", "More attributes: keywords or tags, or `all`."),
    _parameter("fuzzymatching", "boolean", "Accepted, not done: a header `Warning` says so."),
    _parameter("PatientID", "string", "And any other attribute, by keyword or tag."),
)
_EXTRA: Final[dict[str, Any]] = {"parameters": list(_FOR_ALL)}
_SHARED: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": _RESPONSES,
    "openapi_extra": _EXTRA,
}


@ROUTER.get("/studies", summary="Search studies (QIDO-RS)", **_SHARED)
def search_studies(
    request: Request, node: NodeParameter, places: SearchPlacesParameter
) -> Response:
    """Return studies, the one that arrived last first."""
    return _Search(request, node, Level.STUDY, _STUDY).answer(places)


@ROUTER.get("/series", summary="Search series (QIDO-RS)", **_SHARED)
def search_series(request: Request, node: NodeParameter, places: SearchPlacesParameter) -> Response:
    """Return series of any study, in the order they came."""
    return _Search(request, node, Level.SERIES, _STUDY | _SERIES).answer(places)


@ROUTER.get("/instances", summary="Search instances (QIDO-RS)", **_SHARED)
def search_instances(
    request: Request, node: NodeParameter, places: SearchPlacesParameter
) -> Response:
    """Return instances of any study, in the order they came."""
    return _Search(request, node, Level.IMAGE, _STUDY | _SERIES | _INSTANCE).answer(places)


@ROUTER.get("/studies/{study}/series", summary="Search series of a study (QIDO-RS)", **_SHARED)
def search_series_of_study(
    request: Request, node: NodeParameter, places: SearchPlacesParameter, study: str
) -> Response:
    """Return series of one study, in the order they came."""
    within = {"StudyInstanceUID": study}
    return _Search(request, node, Level.SERIES, _UIDS | _SERIES, within).answer(places)


@ROUTER.get(
    "/studies/{study}/instances", summary="Search instances of a study (QIDO-RS)", **_SHARED
)
def search_instances_of_study(
    request: Request, node: NodeParameter, places: SearchPlacesParameter, study: str
) -> Response:
    """Return instances of one study, in the order they came."""
    within = {"StudyInstanceUID": study}
    return _Search(request, node, Level.IMAGE, _UIDS | _SERIES | _INSTANCE, within).answer(places)


@ROUTER.get(
    "/studies/{study}/series/{series}/instances",
    summary="Search instances of a series (QIDO-RS)",
    **_SHARED,
)
def search_instances_of_series(
    request: Request, node: NodeParameter, places: SearchPlacesParameter, study: str, series: str
) -> Response:
    """Return instances of one series, in the order they came."""
    within = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    return _Search(request, node, Level.IMAGE, _UIDS | _INSTANCE, within).answer(places)


class _Search:
    """One transaction."""

    def __init__(
        self,
        request: Request,
        node: Node,
        level: Level,
        usual: frozenset[str],
        within: Mapping[str, str] | None = None,
    ) -> None:
        accept = request.query_params.get("accept") or request.headers.get("accept")
        self._media_type = choose_json(accept)
        self._root = root_of(request)
        self._node, self._level = node, level
        self._parameters = read_search(
            level,
            request.query_params.multi_items(),
            dict(within or {}),
            usual,
            node.settings.qido_maximum_results,
        )

    def answer(self, places: SearchPlaces) -> Response:
        """Return the results, written page by page while they are read."""
        with places.taken():
            found = find(self._node.database, self._parameters.query)
            note_count(len(found.keys))
            note_patients(found.patients)
        pages = found.pages()
        # The first is read before the status goes out: what fails, mostly fails there.
        first = next(pages, [])
        response = StreamingResponse(self._written(first, pages), media_type=self._media_type)
        for text in _warnings(self._parameters, found):
            response.headers.append("Warning", f'299 {self._root}: "{text}"')
        return response

    def _written(self, first: list[Record], pages: Iterator[list[Record]]) -> Iterator[str]:
        before = "["
        for page in chain([first], pages):
            results = [record_json(one, self._level, self._told, self._root) for one in page]
            # The array of a page, without its brackets.
            text = json.dumps(results, ensure_ascii=False, separators=(",", ":"))[1:-1]
            yield before + text
            before = "," if text else before and ""
        yield "]"

    @property
    def _told(self) -> frozenset[str]:
        return self._parameters.query.asked & ATTRIBUTES.keys()


def _warnings(parameters: SearchParameters, found: Found) -> Iterator[str]:
    if parameters.is_fuzzy:
        yield (
            "The fuzzymatching parameter is not supported. "
            "Only literal matching has been performed."
        )
    if parameters.ignored:
        names = ", ".join(parameters.ignored)
        yield f"These parameters are not supported here and were ignored: {names}"
    if found.is_cut and parameters.is_limited:
        yield "There are additional results that can be requested"
