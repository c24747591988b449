"""Rows of deliveries for tests, without the objects they are of.

destination(database, "pacs")                 with a rule that lets everything go
plan(database, "1.2.1")                       an instance and what its rules let go; its deliveries
"""

from typing import Any

from sqlmodel import Session, col, select

from core.database import Database
from core.deliveries.destinations import add_destination
from core.deliveries.planning import plan_deliveries
from core.deliveries.rules import ResultFacts, add_rule
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow
from core.values.identity import InstanceIdentity, PatientIdentity
from tests.builders.archive import keep_instance

FACTS = ResultFacts("final", "retinervenet", "1.0.0", "R")


def destination(database: Database, name: str = "pacs", **rule: Any) -> int:
    with database.transaction() as session:
        row = add_destination(session, name, "folder", "/share")
        add_rule(session, row, **rule)
        return key_of(row)


def plan(
    database: Database, uid: str, facts: ResultFacts = FACTS, kind: str = "sr"
) -> list[DeliveryRow]:
    with database.transaction() as session:
        instance = _keep(session, uid)
        plan_deliveries(session, instance, kind, [facts])
        statement = select(DeliveryRow).where(col(DeliveryRow.instance_key) == instance.id)
        return list(session.exec(statement.order_by(col(DeliveryRow.id))).all())


def jobs(database: Database) -> list[JobRow]:
    with database.reading() as session:
        statement = select(JobRow).where(col(JobRow.kind) == JobKind.DELIVER)
        return list(session.exec(statement.order_by(col(JobRow.id))).all())


def _keep(session: Session, uid: str) -> InstanceRow:
    known = select(InstanceRow).where(col(InstanceRow.sop_instance_uid) == uid)
    return session.exec(known).first() or keep_instance(
        session, PatientIdentity("P1"), InstanceIdentity("1.2", "1.2.0", uid)
    )
