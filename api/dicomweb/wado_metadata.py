"""WADO-RS: the attributes of instances without their bulk values (PS3.18 10.4.1.1.2)."""

import json
from collections.abc import Iterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.dependencies import Node, NodeParameter
from api.dicomweb.addresses import (
    InstanceParameter,
    Resource,
    SeriesParameter,
    StudyParameter,
)
from api.dicomweb.media_types import DICOM_JSON, choose_json
from api.dicomweb.objects import KeptObjects, ObjectsParameter
from api.dicomweb.root import ROOT, root_of
from api.dicomweb.streamed import cached, etag, unchanged
from api.dicomweb.wado_instances import check_kept, location_of, partial
from api.schemas.problem import problems
from core.errors import RecordNotFound
from core.logs import get_logger
from dicom_node.errors import ObjectUnreadable
from dicom_node.storage.json_model import json_of
from dicom_node.storage.selection import Selected

ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 404, 406, 410),
    200: {
        "description": "The attributes of each instance; bulk values as BulkDataURI",
        "content": {DICOM_JSON: {"schema": {"type": "array", "items": {"type": "object"}}}},
    },
    206: {"description": "Some are left out: retention removed them"},
    304: {"description": "The client has it already"},
}
_LOG: Final = get_logger(__name__)


@ROUTER.get(
    "/studies/{study}/metadata",
    summary="Attributes of the instances of a study (WADO-RS)",
    response_class=Response,
    responses=_RESPONSES,
)
def study_metadata(
    request: Request, node: NodeParameter, objects: ObjectsParameter, resource: StudyParameter
) -> Response:
    """Return all attributes of every instance of a study, nested ones included."""
    return _metadata(request, node, objects, resource)


@ROUTER.get(
    "/studies/{study}/series/{series}/metadata",
    summary="Attributes of the instances of a series (WADO-RS)",
    response_class=Response,
    responses=_RESPONSES,
)
def series_metadata(
    request: Request, node: NodeParameter, objects: ObjectsParameter, resource: SeriesParameter
) -> Response:
    """Return all attributes of every instance of a series, nested ones included."""
    return _metadata(request, node, objects, resource)


@ROUTER.get(
    "/studies/{study}/series/{series}/instances/{instance}/metadata",
    summary="Attributes of an instance (WADO-RS)",
    response_class=Response,
    responses=_RESPONSES,
)
def instance_metadata(
    request: Request, node: NodeParameter, objects: ObjectsParameter, instance: InstanceParameter
) -> Response:
    """Return all attributes of an instance, nested ones included."""
    media_type = choose_json(request.headers.get("accept"))
    root = root_of(request)
    headers = cached(etag(instance.digest, root))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    content = b"[" + _encoded(objects, instance, root) + b"]"
    return Response(content, media_type=media_type, headers=headers)


def _metadata(request: Request, node: Node, objects: KeptObjects, resource: Resource) -> Response:
    media_type = choose_json(request.headers.get("accept"))
    root = root_of(request)
    kept, removed, fingerprint = resource.selection.fingerprint(node.database)
    check_kept(kept, removed)
    headers = cached(etag(fingerprint, root))
    answer = unchanged(request, headers)
    if answer is not None:
        return answer
    content = _array(node, objects, resource, root)
    return partial(StreamingResponse(content, media_type=media_type, headers=headers), removed)


def _array(node: Node, objects: KeptObjects, resource: Resource, root: str) -> Iterator[bytes]:
    before = b"["
    for selected in resource.selection.instances(node.database):
        if not selected.is_removed:
            yield before + _encoded_or_named(objects, selected, root)
            before = b",\n"
    yield b"]"


def _encoded_or_named(objects: KeptObjects, selected: Selected, root: str) -> bytes:
    """Return an instance's attributes; only its UIDs where its object is damaged."""
    try:
        return _encoded(objects, selected, root)
    except (ObjectUnreadable, RecordNotFound) as error:
        _LOG.warning("metadata_unreadable", error=str(error))
        return json.dumps(_named(selected)).encode()


def _encoded(objects: KeptObjects, selected: Selected, root: str) -> bytes:
    attributes = json_of(objects.header(selected), location_of(root, selected).url)
    return json.dumps(attributes, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _named(selected: Selected) -> dict[str, Any]:
    uids = {
        "00080016": selected.sop_class_uid,
        "00080018": selected.sop_instance_uid,
        "0020000D": selected.study_instance_uid,
        "0020000E": selected.series_instance_uid,
    }
    return {tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()}
