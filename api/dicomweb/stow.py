"""STOW-RS: `POST /dicom-web/studies` and `POST /dicom-web/studies/{study}` (PS3.18 10.5)."""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from api.dependencies import Node, NodeParameter
from api.dicomweb.media_types import DICOM, DICOM_JSON, MULTIPART_RELATED, choose_json
from api.dicomweb.retrieve_urls import locate
from api.dicomweb.root import ROOT, root_of
from api.dicomweb.store_body import batches, part_reader
from api.dicomweb.store_outcome import StoreOutcome
from api.dicomweb.store_request import StoreRequest
from api.dicomweb.store_response import store_response
from api.errors import BodyMalformed
from api.schemas.problem import problems
from api.security import CallerParameter
from core.audit.trail import note_stores
from core.database import BEFORE_COMMIT
from core.logs import get_logger
from dicom_node.storage.identifiers import is_uid

STORE_PATH: Final = f"{ROOT}/studies"
ROUTER: Final = APIRouter(prefix=ROOT, tags=["DICOMweb"])

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": 'DICOM files: `multipart/related; type="application/dicom"; boundary=…`, '
        "or one `application/dicom`.",
        "content": {MULTIPART_RELATED: _BINARY, DICOM: _BINARY},
    }
}
_STATUSES: Final = {
    200: "Every object is kept; the same again is harmless",
    202: "Some are kept; (0008,1198) tells the others, each with its Failure Reason (0008,1197)",
    409: "None is kept; (0008,1198) tells why",
}
_ANSWER: Final = {DICOM_JSON: {"schema": {"type": "object"}}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 406, 408, 413, 415, 507),
    **{code: {"description": text, "content": _ANSWER} for code, text in _STATUSES.items()},
}

_LOG = get_logger(__name__)
_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")


def _threads_of(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter = request.app.state.store_threads
    return limiter


#: Threads that may write at a time, so that many senders leave some for everybody else.
ThreadsParameter = Annotated[CapacityLimiter, Depends(_threads_of)]


@ROUTER.post(
    "/studies",
    summary="Store DICOM objects (STOW-RS)",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra=_BODY,
)
async def store_instances(
    request: Request, node: NodeParameter, caller: CallerParameter, threads: ThreadsParameter
) -> Response:
    """Keep DICOM files, of any study; answered when bytes and rows are safe, as C-STORE is."""
    return await _Store(request, node, threads).run(caller.name, None)


@ROUTER.post(
    "/studies/{study_instance_uid}",
    summary="Store DICOM objects of one study (STOW-RS)",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra=_BODY,
)
async def store_instances_of_study(
    request: Request,
    node: NodeParameter,
    caller: CallerParameter,
    threads: ThreadsParameter,
    study_instance_uid: str,
) -> Response:
    """Keep DICOM files; one of another study fails with the reason A900."""
    if not is_uid(study_instance_uid):
        raise BodyMalformed("The address holds no valid Study Instance UID")
    return await _Store(request, node, threads).run(caller.name, study_instance_uid)


class _Store:
    """One transaction: the event loop waits for the network, threads for disk and database."""

    def __init__(self, request: Request, node: Node, threads: CapacityLimiter) -> None:
        self._request = request
        self._node = node
        self._threads = threads

    async def run(self, sender: str, study_instance_uid: str | None) -> Response:
        # What came is known at the end of the body: the audit entry is written with the answer, not
        # in the transaction of the first object that is set aside.
        BEFORE_COMMIT.set(None)
        media_type = choose_json(self._request.headers.get("accept"))
        reader = part_reader(self._request.headers)
        storing = StoreRequest(self._node.archive, sender, study_instance_uid, reader)
        try:
            async for batch in batches(self._request.stream()):
                await self._in_thread(storing.feed, batch)
            outcome = await self._in_thread(storing.finish)
        except ClientDisconnect:
            _LOG.info("store_broken_off", peer=sender)
            # Nobody hears it.
            return Response(status_code=400)
        finally:
            storing.discard()
            note_stores(storing.kept, storing.refused)
        if outcome.fault is not None:
            raise outcome.fault
        content = await self._in_thread(self._describe, outcome)
        return JSONResponse(content, outcome.status, media_type=media_type)

    def _describe(self, outcome: StoreOutcome) -> dict[str, Any]:
        keys = [instance.instance_key for instance in outcome.stored]
        root = root_of(self._request)
        with self._node.database.reading() as session:
            locations = locate(session, root, keys)
        return store_response(outcome, locations)

    async def _in_thread(self, work: Callable[[*_Arguments], _T], *arguments: *_Arguments) -> _T:
        return await to_thread.run_sync(work, *arguments, limiter=self._threads)
