"""The step that settles the summary of a study."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core import ledger
from core.clock import Clock, utc_now
from core.database import Database
from core.ledger import Claim
from core.logs import get_logger
from core.study_facts import StudyFacts, read_facts
from core.study_summaries import settle
from core.tables.jobs import JobKind
from core.tables.study_summaries import StudySummaryRow, SummaryState
from dicom_node.rollup.due import PUT_OFF

_log = get_logger(__name__)


@dataclass(frozen=True)
class SettleStep:
    """Writes what is known of both eyes, once nothing of the study is being scored any more."""

    database: Database
    clock: Clock = utc_now
    kind: JobKind = JobKind.SETTLE
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Settle each claimed version."""
        for claimed in claims:
            with self.database.transaction() as session:
                self._settle(session, int(claimed.subject))
                ledger.finish(session, claimed)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave it open; the failed job tells why, and what comes next makes a new one."""
        _log.error("study_not_settled", summary=claim.subject, error=error)

    def _settle(self, session: Session, key: int) -> None:
        row = session.get_one(StudySummaryRow, key, with_for_update=True)
        if row.state != SummaryState.OPEN or row.due_at is not None:
            # Settled by an attempt before, or something came meanwhile: it waits anew.
            return
        facts = read_facts(session, row.study_key)
        if facts.pending:
            row.due_at = self.clock() + PUT_OFF
            return
        study_uid = settle(session, row, facts, self.clock())
        _log_settled(study_uid, row, facts)


def _log_settled(study_uid: str, row: StudySummaryRow, facts: StudyFacts) -> None:
    _log.info(
        "study_settled",
        study_instance_uid=study_uid,
        version=row.version,
        cause=row.cause,
        received=facts.received,
        scored=facts.scored,
        failed=facts.failed,
        missing=row.missing,
        disagree=[str(eye.laterality) for eye in facts.eyes if eye.disagree],
    )
