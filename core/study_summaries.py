"""The versions of a study's summary: opened by what comes, settled once, superseded by the next."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from core.changes import append_change, append_changes
from core.ledger import enqueue
from core.study_eyes import has_both_eyes
from core.study_facts import StudyFacts, read_facts
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from core.tables.studies import StudyRow
from core.tables.study_notices import NoticeState, StudyNoticeRow
from core.tables.study_summaries import SettleCause, StudySummaryRow, SummaryState

_STANDING = (SummaryState.OPEN, SummaryState.SETTLED)
#: Instances asked about in one statement; notices may name more than a database takes at once.
_BATCH = 5000


@dataclass(frozen=True)
class Opening:
    """What came for a study, and when the last of it did.

    Attributes
    ----------
    is_arrival
        Whether an object came; otherwise only a result was recorded.
    """

    study_key: int
    changed_at: datetime
    is_arrival: bool


def lock_latest(session: Session, study_keys: Collection[int]) -> dict[int, StudySummaryRow]:
    """Return the latest version of each study that has one, locked until the transaction ends."""
    statement = (
        select(StudySummaryRow)
        .where(col(StudySummaryRow.study_key).in_(study_keys))
        .where(col(StudySummaryRow.state).in_(_STANDING))
        # Always in one order, so that no two processes wait for each other's rows.
        .order_by(col(StudySummaryRow.study_key), col(StudySummaryRow.version))
        # A report may refer to one meanwhile: whoever keeps it has the number of a change already.
        .with_for_update(key_share=True)
    )
    return {row.study_key: row for row in session.exec(statement).all()}


def note_openings(
    session: Session, openings: Sequence[Opening], quiet: timedelta, now: datetime
) -> None:
    """Open the summary of each study something came for, or let an open one wait longer."""
    latest = lock_latest(session, [opening.study_key for opening in openings])
    reopened = []
    for opening in openings:
        row = _to_settle(session, latest.get(opening.study_key), opening, now)
        if row is not None:
            row.changed_at = max(row.changed_at, opening.changed_at)
            row.due_at, row.cause = row.changed_at + quiet, SettleCause.QUIET_TIME
            session.add(row)
            if row.id is None and row.version > 1:
                reopened.append(session.get_one(StudyRow, row.study_key).study_instance_uid)
    session.flush()
    if reopened:
        # Last: until this transaction ends, no store can number its change.
        append_changes(session.connection(), ChangeKind.STUDY_REOPENED, reopened, now)


def open_again(session: Session, study_keys: Sequence[int], now: datetime) -> list[str]:
    """Open the settled summaries of studies though nothing came: whose they are is another now.

    Returns
    -------
    list of str
        Study Instance UIDs of those that were opened: `STUDY_REOPENED` is the caller's to tell.
    """
    settled = [
        row
        for row in lock_latest(session, study_keys).values()
        if row.state == SummaryState.SETTLED
    ]
    for row in settled:
        opened = _open(Opening(row.study_key, now, is_arrival=False), row.version + 1, now)
        opened.due_at, opened.cause = now, SettleCause.IDENTITY_CHANGED
        session.add(opened)
    session.flush()
    return [session.get_one(StudyRow, row.study_key).study_instance_uid for row in settled]


def bring_forward(row: StudySummaryRow, cause: SettleCause, due_at: datetime) -> None:
    """Let an open version be settled sooner, for a cause; one that waits for nothing stays."""
    if row.state == SummaryState.OPEN and row.due_at is not None and due_at <= row.due_at:
        row.due_at, row.cause = due_at, cause


def settle(session: Session, row: StudySummaryRow, facts: StudyFacts, now: datetime) -> str:
    """Settle an open version in the caller's transaction; return the Study Instance UID.

    Whoever tells others of a settled study, as the report of both eyes does, enqueues the job here:
    in the same transaction, with the key of the version for its subject.
    """
    for name, value in facts.as_columns().items():
        setattr(row, name, value)
    study_uid = session.get_one(StudyRow, row.study_key).study_instance_uid
    row.missing = len(missing_instances(session, study_uid))
    row.state, row.settled_at, row.due_at = SummaryState.SETTLED, now, None
    before = select(StudySummaryRow).where(
        col(StudySummaryRow.study_key) == row.study_key,
        col(StudySummaryRow.version) == row.version - 1,
    )
    superseded = session.exec(before).first()
    if superseded is not None:
        superseded.state = SummaryState.SUPERSEDED
    if has_both_eyes(facts.eyes):
        enqueue(session, JobKind.REPORT_STUDY, str(row.id))
    append_change(session, ChangeKind.STUDY_SETTLED, study_uid, now)
    return study_uid


def missing_instances(session: Session, study_instance_uid: str) -> set[str]:
    """Return what ended procedure steps and notifications name of a study and is not here."""
    statement = select(StudyNoticeRow.instances).where(
        col(StudyNoticeRow.study_instance_uid) == study_instance_uid,
        col(StudyNoticeRow.state) != NoticeState.IN_PROGRESS,
    )
    named = {uid for instances in session.exec(statement).all() for uid in instances}
    return named - kept_of(session, named)


def kept_of(session: Session, sop_instance_uids: Collection[str]) -> set[str]:
    """Return which of these instances are kept."""
    wanted, kept = list(sop_instance_uids), set[str]()
    for first in range(0, len(wanted), _BATCH):
        statement = select(InstanceRow.sop_instance_uid).where(
            col(InstanceRow.sop_instance_uid).in_(wanted[first : first + _BATCH])
        )
        kept.update(session.exec(statement).all())
    return kept


def _to_settle(
    session: Session, latest: StudySummaryRow | None, opening: Opening, now: datetime
) -> StudySummaryRow | None:
    """Return the version that will tell what came; None where nothing changes for it."""
    if latest is None:
        return _open(opening, 1, now)
    if latest.state == SummaryState.OPEN:
        # A result is waited for anyway, and puts nothing off.
        return latest if opening.is_arrival else None
    told = read_facts(session, latest.study_key).as_columns()
    if all(getattr(latest, name) == value for name, value in told.items()):
        return None
    return _open(opening, latest.version + 1, now)


def _open(opening: Opening, version: int, now: datetime) -> StudySummaryRow:
    return StudySummaryRow(
        study_key=opening.study_key,
        version=version,
        opened_at=now,
        changed_at=opening.changed_at,
    )
