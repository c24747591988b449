"""Rules: which results go to which destination, in which kinds of report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from core.clock import Clock, utc_now
from core.errors import NodeError, RecordNotFound
from core.tables.columns import key_of
from core.tables.destinations import DeliveryRuleRow, DestinationRow
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus

#: What a rule may name: a replaced result is told by its successor.
STATUSES: Final = (
    PredictionStatus.FINAL,
    PredictionStatus.NOT_ASSESSABLE,
    PredictionStatus.FAILED,
)


class RuleInvalid(NodeError):
    """A rule names something results do not have; `parameter` says which."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class ResultFacts:
    """What a rule asks of a result."""

    status: str
    model_name: str
    model_version: str
    laterality: str | None


def facts_of(prediction: Prediction) -> ResultFacts:
    """Return what a rule asks of a prediction."""
    return ResultFacts(
        prediction.status, prediction.model.name, prediction.model.version, prediction.laterality
    )


def add_rule(
    session: Session,
    destination: DestinationRow,
    statuses: Sequence[str] = (),
    model: str = "",
    laterality: str = "",
    report_kinds: Sequence[str] = (),
    clock: Clock = utc_now,
) -> DeliveryRuleRow:
    """Let results go to a destination from now on; what is left empty is true of all.

    Raises
    ------
    RuleInvalid
        If a status or the laterality is none a result can have.
    """
    unknown = sorted(set(statuses) - set(STATUSES))
    if unknown:
        raise RuleInvalid("statuses", f"{unknown[0]!r} is no status: {', '.join(STATUSES)}")
    if laterality and laterality not in set(Laterality):
        raise RuleInvalid("laterality", f"{laterality!r} is no laterality: {', '.join(Laterality)}")
    row = DeliveryRuleRow(
        destination_id=key_of(destination),
        statuses=list(dict.fromkeys(statuses)),
        model=model,
        laterality=laterality,
        report_kinds=list(dict.fromkeys(report_kinds)),
        added_at=clock(),
    )
    session.add(row)
    session.flush()
    return row


def remove_rule(session: Session, rule_id: int) -> None:
    """Let a rule hold no more; what it let go stays on its way.

    Raises
    ------
    RecordNotFound
        If there is no such rule.
    """
    row = session.get(DeliveryRuleRow, rule_id)
    if row is None:
        raise RecordNotFound(f"There is no rule {rule_id}; `arcuate rules list` shows all")
    session.delete(row)


def list_rules(session: Session) -> Sequence[tuple[DeliveryRuleRow, DestinationRow]]:
    """Return the rules of every destination, by its name, in the order they were made."""
    statement = (
        select(DeliveryRuleRow, DestinationRow)
        .join(DestinationRow, col(DestinationRow.id) == col(DeliveryRuleRow.destination_id))
        .where(col(DestinationRow.removed_at).is_(None))
        .order_by(col(DestinationRow.name), col(DeliveryRuleRow.id))
    )
    return session.exec(statement).all()


def lets_go(rule: DeliveryRuleRow, report_kind: str, results: Sequence[ResultFacts]) -> bool:
    """Whether a rule lets a report of these results go: of one of them all it asks is true."""
    if rule.report_kinds and report_kind not in rule.report_kinds:
        return False
    return any(_fits(rule, result) for result in results)


def is_named(session: Session, report_kind: str, results: Sequence[ResultFacts]) -> bool:
    """Whether a rule that lets a report of these results go names its kind."""
    rules = (rule for rule, _ in list_rules(session) if report_kind in rule.report_kinds)
    return any(lets_go(rule, report_kind, results) for rule in rules)


def _fits(rule: DeliveryRuleRow, result: ResultFacts) -> bool:
    name, _, version = rule.model.partition(":")
    return (
        (not rule.statuses or result.status in rule.statuses)
        and (not name or result.model_name == name)
        and (not version or result.model_version == version)
        and (not rule.laterality or result.laterality == rule.laterality)
    )
