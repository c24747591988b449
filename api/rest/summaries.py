"""The summaries of studies, read for whoever asks."""

from sqlmodel import Session, col, select

from api.schemas.summaries import SummaryOut, summary_of_row
from core.study_facts import read_facts
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow, SummaryState
from core.tables.summary_reports import SummaryReportRow


def find_summary(
    session: Session, study: StudyRow, version: int | None = None
) -> SummaryOut | None:
    """Return a version of a study's summary, the latest by default; None where there is none."""
    statement = select(StudySummaryRow).where(col(StudySummaryRow.study_key) == study.id)
    if version is not None:
        statement = statement.where(col(StudySummaryRow.version) == version)
    row = session.exec(statement.order_by(col(StudySummaryRow.version).desc())).first()
    if row is None:
        return None
    is_open = row.state == SummaryState.OPEN
    so_far = read_facts(session, row.study_key) if is_open else None
    reported = session.exec(
        select(SummaryReportRow.kind).where(col(SummaryReportRow.summary_key) == row.id)
    ).all()
    return summary_of_row(row, study.study_instance_uid, so_far, reported)
