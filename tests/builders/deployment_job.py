"""Jobs of the Watson-compatible API."""

from dataclasses import replace
from typing import Any

from core import ledger
from core.database import Database
from core.deployment_jobs import NewJob, create_job
from core.ledger import Claim
from core.tables.jobs import JobKind
from core.values.prediction import ModelIdentity

_JOB = NewJob(
    name="some job",
    deployment_id="some deployment",
    model=ModelIdentity("retinervenet", "2.1.0", "sha256:0"),
    hardware="S",
    scoring={"input_data": [{"values": [[1.0]]}]},
)


def give_job(database: Database, **changed: Any) -> str:
    """Keep a job and return its id."""
    with database.transaction() as session:
        return create_job(session, replace(_JOB, **changed)).id


def claim_jobs(
    database: Database, kind: JobKind = JobKind.SCORE_JOB, limit: int = 1
) -> list[Claim]:
    """Claim jobs as a process that scores does."""
    with database.transaction() as session:
        return ledger.claim(session, kind, "worker", limit, 60)
