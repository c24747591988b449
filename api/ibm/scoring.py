"""`/ml/v4/deployments/{id}/predictions`: tensors in, estimated fields out, at once."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api.dependencies import Node, NodeParameter
from api.ibm.deployed import Deployed, find_deployed
from api.ibm.identifiers import Mode
from api.ibm.json_body import member, read_object
from api.ibm.spaces import check_space
from api.ibm.warnings import WARNINGS
from api.scoring.questions import QuestionsParameter
from core.errors import RecordNotFound
from core.scoring_input import read_question
from core.scoring_output import predictions_of
from core.values.tensors import TensorQuestion

ROUTER: Final = APIRouter(prefix="/ml/v4/deployments", include_in_schema=False)


@ROUTER.post("/{deployment_id}/predictions")
async def score(
    request: Request,
    node: NodeParameter,
    questions: QuestionsParameter,
    deployment_id: str,
    space_id: str = "",
) -> dict[str, Any]:
    """Return the estimates of some eyes.

    Raises
    ------
    TensorsRefused
        If the model does not take a row.
    TooManyQuestions, NobodyScored
        If there is no answer in time.
    """
    check_space(space_id)
    body = await read_object(request)
    check_space(member(body, "space_id"))
    found, question = await run_in_threadpool(_question, node, deployment_id, body)
    answer = await questions.ask(question)
    told = await run_in_threadpool(predictions_of, answer, found.output)
    return {"predictions": told, "system": {"warnings": WARNINGS}}


def _question(
    node: Node, deployment_id: str, body: Mapping[str, Any]
) -> tuple[Deployed, TensorQuestion]:
    with node.database.reading() as session:
        found = find_deployed(session, node.settings, deployment_id)
    if found.mode is not Mode.ONLINE:
        raise RecordNotFound("This deployment takes jobs; its model has another one that answers")
    return found, read_question(body, found.model.identity, found.card)
