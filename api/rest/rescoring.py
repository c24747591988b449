"""`/v1/studies/{uid}/rescore`: scoring again what is kept of a study."""

from typing import Final

from fastapi import APIRouter, status

from api.dependencies import NodeParameter
from api.schemas.problem import problems
from api.schemas.rescorings import RescoreIn, RescoringOut, rescoring_of
from core.models import list_models
from core.rescoring_choice import rescoring_model
from core.rescorings import count_rescoring
from dicom_node.storage.rescoring import ArchivePart, rescore

ROUTER: Final = APIRouter(prefix="/v1/studies", tags=["operations"])


@ROUTER.post(
    "/{study_uid}/rescore",
    summary="Score a study again",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(403, 404, 422),
)
def rescore_study(
    node: NodeParameter, study_uid: str, wanted: RescoreIn | None = None
) -> RescoringOut:
    """Have what is kept of a study scored by a model, behind whatever comes in.

    Asked again, it adds only what that model has not answered and what does not wait for it yet.
    """
    order = wanted or RescoreIn()
    with node.database.transaction() as session:
        models = list_models(session)
        model = rescoring_model(models, order.model, node.settings.model, order.shadow)
        begun = rescore(session, model, ArchivePart(study_instance_uid=study_uid))
        return rescoring_of(model, begun.jobs, count_rescoring(session, model))
