"""`/v2/models/{name}/infer`: a model's answers."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from api.dependencies import Node, NodeParameter
from api.inference_protocol.answers import ProtocolRoute, faults
from api.inference_protocol.decoding import JSON_LENGTH_HEADER, question_of, read_request
from api.inference_protocol.encoding import check_outputs, response_of
from api.inference_protocol.ports import ModelPorts, find_ports
from api.inference_protocol.schemas import InferIn, InferOut, inlined
from api.scoring.questions import Questions, QuestionsParameter
from core.values.tensors import TensorQuestion

ROUTER: Final = APIRouter(
    prefix="/v2/models", tags=["inference protocol"], route_class=ProtocolRoute
)

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": f"JSON; with `{JSON_LENGTH_HEADER}`, JSON of that length and the bytes of "
        "the tensors behind it.",
        "content": {
            "application/json": {"schema": inlined(InferIn)},
            "application/octet-stream": _BINARY,
        },
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": InferOut,
        "description": "What the model gives of each eye",
        "content": {"application/octet-stream": _BINARY},
    },
    **faults(400, 404, 413, 500),
}

LengthParameter = Annotated[str | None, Header(alias=JSON_LENGTH_HEADER)]


@ROUTER.post(
    "/{name}/infer",
    summary="Score tensors",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra=_BODY,
)
async def infer(
    request: Request,
    node: NodeParameter,
    questions: QuestionsParameter,
    name: str,
    json_length: LengthParameter = None,
) -> Response:
    """Let the version that the name alone means estimate a field for each eye.

    The outputs are the network's own, in dB and right-eye order: estimates, never measurements.
    Eyes the model was not made for are refused with the reason. Nothing is kept.
    """
    return await _infer(request, node, questions, (name, None), json_length)


@ROUTER.post(
    "/{name}/versions/{version}/infer",
    summary="Score tensors with one version",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra=_BODY,
)
async def version_infer(
    request: Request,
    node: NodeParameter,
    questions: QuestionsParameter,
    name: str,
    version: str,
    json_length: LengthParameter = None,
) -> Response:
    """Let one version estimate a field for each eye, as above."""
    return await _infer(request, node, questions, (name, version), json_length)


async def _infer(
    request: Request,
    node: Node,
    questions: Questions,
    model: tuple[str, str | None],
    json_length: str | None,
) -> Response:
    body = await request.body()
    # Megabytes of text take a while to read, in which others must be answered.
    asked, ports, question = await run_in_threadpool(_read, node, model, body, json_length)
    answer = await questions.ask(question)
    return await run_in_threadpool(response_of, asked, ports, answer)


def _read(
    node: Node, model: tuple[str, str | None], body: bytes, json_length: str | None
) -> tuple[InferIn, ModelPorts, TensorQuestion]:
    ports = find_ports(node.database, *model)
    asked, behind = read_request(body, json_length)
    check_outputs(asked, ports)
    return asked, ports, question_of(asked, behind, ports)
