"""One run of retention: judge, say in the record what is removed, remove it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.logs import get_logger
from core.tables.discarded_files import FilePlace
from dicom_node.storage.archive import Archive
from dicom_node.storage.retention.commitments import forget_commitments
from dicom_node.storage.retention.files import Sweep, sweep_files
from dicom_node.storage.retention.plan import Verdict, plan
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.quarantine import Expired, count_expired, remove_expired
from dicom_node.storage.retention.removal import remove_study
from dicom_node.storage.retention.studies import kept_bytes

_log = get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a run removed, or would.

    Attributes
    ----------
    removed, held
        Studies that went and studies that should and are held, oldest first.
    kept_bytes
        What the archive holds after the run.
    files
        None of a dry run.
    """

    removed: tuple[Verdict, ...]
    held: tuple[Verdict, ...]
    quarantine: Expired
    kept_bytes: int
    files: Sweep | None = None


def foresee(archive: Archive, policy: RetentionPolicy, now: datetime) -> Outcome:
    """Return what a run would do now; nothing is written."""
    with archive.database.reading() as session:
        verdicts = plan(session, policy, now)
        expired, kept = Expired(), kept_bytes(session)
        if policy.quarantine_age is not None:
            expired = count_expired(session, now - policy.quarantine_age)
    removed, held = _parted(verdicts)
    rest = kept - sum(verdict.study.size_bytes for verdict in removed)
    return Outcome(removed, held, expired, rest)


def remove(
    archive: Archive, policy: RetentionPolicy, now: datetime, beat: Callable[[], None]
) -> Outcome:
    """Remove what the policy no longer keeps; whatever ends it, the next run goes on.

    Parameters
    ----------
    beat
        Called between any two pieces of work: renews a lease, or raises to stop.
    """
    database = archive.database
    with database.reading() as session:
        due, held = _parted(plan(session, policy, now))
    removed = []
    for verdict in due:
        beat()
        if remove_study(database, verdict, now):
            removed.append(verdict)
    expired = Expired()
    if policy.quarantine_age is not None:
        expired = remove_expired(database, now - policy.quarantine_age, now, beat)
    storages = {FilePlace.INSTANCES: archive.storage, FilePlace.QUARANTINE: archive.quarantine}
    files = sweep_files(database, storages, beat)
    forget_commitments(database, now)
    with database.reading() as session:
        kept = kept_bytes(session)
    outcome = Outcome(tuple(removed), held, expired, kept, files)
    _tell(outcome, policy)
    return outcome


def _parted(verdicts: list[Verdict]) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]]:
    due = tuple(verdict for verdict in verdicts if not verdict.held_by)
    return due, tuple(verdict for verdict in verdicts if verdict.held_by)


def _tell(outcome: Outcome, policy: RetentionPolicy) -> None:
    limit = policy.maximum_bytes
    _log.info(
        "retention_done",
        studies=len(outcome.removed),
        held=len(outcome.held),
        files=outcome.files.removed if outcome.files else 0,
        kept_bytes=outcome.kept_bytes,
    )
    if limit is not None and outcome.kept_bytes > limit:
        _log.warning(
            "archive_too_large",
            kept_bytes=outcome.kept_bytes,
            maximum_bytes=limit,
            held=len(outcome.held),
        )
