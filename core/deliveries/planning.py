"""From a report that is kept to the deliveries it needs, in the transaction that keeps it."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from core.clock import Clock, utc_now
from core.database import database_seconds
from core.deliveries.rules import ResultFacts, lets_go, list_rules
from core.deliveries.scheduling import wake
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import CircuitState, DestinationRow
from core.tables.instances import InstanceRow


def plan_deliveries(
    session: Session,
    instance: InstanceRow,
    report_kind: str,
    results: Sequence[ResultFacts],
    clock: Clock = utc_now,
    *,
    is_on_request: bool = False,
) -> int:
    """Plan the sending of a report to each destination a rule names; return how many are new.

    Harmless to repeat: an instance goes to a destination once.

    Parameters
    ----------
    results
        What the report tells of: one prediction, or those of a study.
    is_on_request
        Whether it was written for the rules that name its kind: it goes by no other.
    """
    destinations = _destinations_of(session, report_kind, results, is_on_request)
    planned = _planned(session, key_of(instance))
    new = [row for row in destinations if row.id not in planned]
    for destination in new:
        session.add(
            DeliveryRow(
                destination_id=key_of(destination),
                instance_key=key_of(instance),
                report_kind=report_kind,
                available_at=database_seconds(session),
                created_at=clock(),
            )
        )
    session.flush()
    for destination in new:
        wake(session, key_of(destination), destination.circuit == CircuitState.CLOSED)
    return len(new)


def _destinations_of(
    session: Session, report_kind: str, results: Sequence[ResultFacts], is_on_request: bool
) -> list[DestinationRow]:
    named = {
        key_of(destination): destination
        for rule, destination in list_rules(session)
        if (rule.report_kinds or not is_on_request) and lets_go(rule, report_kind, results)
    }
    return list(named.values())


def _planned(session: Session, instance_key: int) -> set[int]:
    statement = select(DeliveryRow.destination_id).where(
        col(DeliveryRow.instance_key) == instance_key
    )
    return set(session.exec(statement).all())
