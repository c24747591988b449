"""A job as that API tells it."""

from typing import Any

from api.ibm.identifiers import SPACE_ID, hardware_id
from api.ibm.moments import moment
from api.ibm.warnings import WARNINGS
from core.deployment_jobs import unpacked
from core.tables.deployment_jobs import DeploymentJobRow, DeploymentJobState


def told_job(
    row: DeploymentJobRow,
    include: frozenset[str] = frozenset(),
    with_content: bool = False,
    is_named: bool = True,
) -> dict[str, Any]:
    """Return a job.

    Parameters
    ----------
    include
        What of its scoring is wanted: `status`, `scoring` for all of it, or names of its members;
        empty for all.
    with_content
        Whether with what it was given and what came of it: a list has neither.
    is_named
        Whether with its name and what it was given, which others wrote.
    """
    scoring: dict[str, Any] = {"status": _status(row)}
    if with_content and include != {"status"}:
        given = unpacked(row.request) if is_named else {}
        scoring = {**given, **scoring}
        if row.predictions is not None:
            scoring["predictions"] = unpacked(row.predictions)
    if include and "scoring" not in include:
        scoring = {name: found for name, found in scoring.items() if name in include}
    return {
        "entity": {
            "deployment": {"id": row.deployment_id},
            "hardware_spec": {
                "id": hardware_id(row.hardware),
                "name": row.hardware,
                "num_nodes": 1,
            },
            "scoring": scoring,
        },
        "metadata": {**_metadata(row), "name": row.name if is_named else ""},
        "system": {"warnings": WARNINGS},
    }


def _metadata(row: DeploymentJobRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "guid": row.id,
        "href": f"/ml/v4/deployment_jobs/{row.id}",
        "space_id": SPACE_ID,
        "created_at": moment(row.created_at),
        "modified_at": moment(row.finished_at or row.running_at or row.created_at),
    }


def _status(row: DeploymentJobRow) -> dict[str, Any]:
    told: dict[str, Any] = {"state": str(row.state)}
    if row.running_at is not None:
        told["running_at"] = moment(row.running_at)
    if row.finished_at is not None:
        told["completed_at"] = moment(row.finished_at)
    if row.state == DeploymentJobState.FAILED:
        errors = [{"code": row.failure_code, "message": row.failure}]
        told["failure"] = {"trace": row.id.replace("-", ""), "errors": errors}
    return told
