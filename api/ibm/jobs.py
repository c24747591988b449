"""`/ml/v4/deployment_jobs`: work that is asked for now and looked at later."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import ColumnElement
from sqlmodel import col, true
from starlette.concurrency import run_in_threadpool

from api.access import OPERATORS, READERS
from api.caller import Caller
from api.dependencies import Node, NodeParameter
from api.errors import BodyMalformed, RoleMissing
from api.ibm.deployed import Deployed, find_deployed
from api.ibm.hardware_specs import HardwareSpec, spec_named, spec_with_id
from api.ibm.identifiers import Mode
from api.ibm.job_json import told_job
from api.ibm.json_body import member, read_object
from api.ibm.listing import ListQuery, page
from api.ibm.spaces import check_space
from api.security import CallerParameter
from core.audit.subjects import patients_of_studies
from core.audit.trail import note_object, note_patients, note_study
from core.deployment_jobs import (
    NewJob,
    cancel_job,
    create_job,
    find_job,
    list_jobs,
    remove_job,
    unpacked,
)
from core.errors import RecordNotFound
from core.job_ids import is_given_by
from core.scoring_content import check_content
from core.study_scoring import study_uids_of
from core.tables.deployment_jobs import DeploymentJobRow

ROUTER: Final = APIRouter(prefix="/ml/v4/deployment_jobs", include_in_schema=False)

_LONGEST_NAME: Final = 256
_REFERENCES: Final = "input_data_references"


class JobQuery(ListQuery):
    """Which jobs."""

    deployment_id: str = ""
    state: str = ""


@ROUTER.post("")
async def create(
    request: Request, node: NodeParameter, caller: CallerParameter, space_id: str = ""
) -> Response:
    """Take a job; whether its numbers can be scored is told when it runs.

    Raises
    ------
    TensorsRefused
        If it holds what may name somebody.
    TooManyJobs
        If so many wait that this one must not.
    RoleMissing
        If it is about stored studies, which the caller must not see.
    """
    check_space(space_id)
    body = await read_object(request)
    check_space(member(body, "space_id"))
    return JSONResponse(await run_in_threadpool(_create, node, caller, body), 202)


@ROUTER.get("")
def list_all(
    request: Request,
    node: NodeParameter,
    caller: CallerParameter,
    query: Annotated[JobQuery, Query()],
) -> dict[str, Any]:
    """Return jobs, newest first, without what they hold."""
    check_space(query.space_id)
    condition = _shown_to(caller)
    if query.deployment_id:
        condition &= col(DeploymentJobRow.deployment_id) == query.deployment_id
    if query.state:
        condition &= col(DeploymentJobRow.state) == query.state
    with node.database.reading() as session:
        rows, total = list_jobs(session, query.start, query.limit, condition)
    told = [told_job(row, is_named=_is_named(row, caller)) for row in rows]
    return page(request, query, told, total)


@ROUTER.get("/{job_id}")
def read(
    node: NodeParameter,
    caller: CallerParameter,
    job_id: str,
    space_id: str = "",
    include: str = "",
) -> dict[str, Any]:
    """Return one job with what it was given and what came of it.

    `include` names what of it is wanted, as `status`, separated by commas.
    """
    check_space(space_id)
    with node.database.reading() as session:
        row = find_job(session, job_id)
        _check_shown(row, caller)
        if row.names_studies:
            note_patients(patients_of_studies(session, study_uids_of(unpacked(row.request))))
    wanted = frozenset(filter(None, include.split(",")))
    return told_job(row, wanted, with_content=True, is_named=_is_named(row, caller))


@ROUTER.delete("/{job_id}")
def delete(
    node: NodeParameter,
    caller: CallerParameter,
    job_id: str,
    space_id: str = "",
    hard_delete: bool = False,
) -> Response:
    """Cancel a job, or remove it for good.

    Raises
    ------
    RoleMissing
        If somebody else gave it, and the caller does not operate the node.
    """
    check_space(space_id)
    with node.database.transaction() as session:
        _check_shown(find_job(session, job_id), caller)
        if not (OPERATORS.allows(caller) or is_given_by(job_id, caller.subject)):
            raise RoleMissing(OPERATORS.roles)
        if hard_delete:
            remove_job(session, job_id)
        else:
            cancel_job(session, job_id)
    return Response(status_code=204)


def _create(node: Node, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    scoring = body.get("scoring")
    if not isinstance(scoring, dict) or ("input_data" in scoring) == (_REFERENCES in scoring):
        raise BodyMalformed(
            'The body needs `scoring` with `input_data`, [{"values": […]}], or references'
        )
    _check_studies(scoring, caller)
    with node.database.reading() as session:
        found = find_deployed(session, node.settings, member(dict(body), "deployment", "id"))
    if found.mode is not Mode.BATCH:
        raise BodyMalformed(
            "This deployment answers at once; its model has another that takes jobs"
        )
    check_content(scoring, found.card)
    new = _new_job(body, scoring, found, caller.subject)
    with node.database.transaction() as session:
        row = create_job(session, new)
        note_object("deployment_job", row.id)
    return told_job(row, with_content=True)


def _check_studies(scoring: Mapping[str, Any], caller: Caller) -> None:
    if _REFERENCES not in scoring:
        return
    if not READERS.allows(caller):
        raise RoleMissing(READERS.roles)
    # Whose they are belongs into the audit trail.
    for uid in study_uids_of(scoring):
        note_study(uid)


def _new_job(
    body: Mapping[str, Any], scoring: Mapping[str, Any], found: Deployed, giver: str
) -> NewJob:
    spec = _hardware_of(body)
    return NewJob(
        name=member(dict(body), "name")[:_LONGEST_NAME],
        deployment_id=found.id,
        model=found.model.identity,
        hardware=spec.name,
        scoring=scoring,
        needs_gpu=spec.gpus > 0,
        names_studies=_REFERENCES in scoring,
        giver=giver,
    )


def _hardware_of(body: Mapping[str, Any]) -> HardwareSpec:
    """Return the hardware a job asks for; the usual one where it says nothing."""
    wanted = body.get("hardware_spec")
    several = body.get("hybrid_pipeline_hardware_specs")
    if wanted is None and isinstance(several, list) and several:
        wanted = several[0].get("hardware_spec") if isinstance(several[0], dict) else None
    asked = wanted if isinstance(wanted, dict) else {}
    if spec_id := member(asked, "id"):
        return spec_with_id(spec_id)
    return spec_named(member(asked, "name") or "S")


def _shown_to(caller: Caller) -> ColumnElement[bool]:
    """Return the condition on jobs a caller may see: those about stored studies need a role."""
    return true() if READERS.allows(caller) else col(DeploymentJobRow.names_studies).is_(False)


def _is_named(row: DeploymentJobRow, caller: Caller) -> bool:
    """Whether a caller may see what others wrote into a job."""
    return READERS.allows(caller) or is_given_by(row.id, caller.subject)


def _check_shown(row: DeploymentJobRow, caller: Caller) -> None:
    if row.names_studies and not READERS.allows(caller):
        raise RecordNotFound("There is no such job")
