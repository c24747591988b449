"""Taking the bytes of a study away: its rows stay, and say so."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from core.audit.recording import append_audit
from core.audit.subjects import patients_of
from core.changes import append_changes
from core.database import Database
from core.logs import get_logger
from core.tables.changes import ChangeKind
from core.tables.discarded_files import FilePlace
from core.tables.instances import InstanceRow
from core.tables.series import SeriesRow
from core.values.audit import Actor, AuditAction, AuditEvent
from dicom_node.storage.retention.files import discard_files
from dicom_node.storage.retention.holds import holds_of
from dicom_node.storage.retention.plan import Verdict
from dicom_node.storage.retention.studies import is_removable

_log = get_logger(__name__)


def remove_study(database: Database, verdict: Verdict, now: datetime) -> bool:
    """Say in one transaction of every file of a study that it is removed, and list it to go.

    Returns
    -------
    bool
        False where the study changed after it was judged; then nothing is removed.
    """
    study = verdict.study
    with database.transaction() as session:
        instances = _lock_instances(session, study.study_key)
        if _last_kept_at(instances) != study.last_kept_at or holds_of(session, [study.study_key]):
            return False
        for instance in instances:
            instance.bytes_removed_at, instance.removal_reason = now, verdict.reason
        keys = [instance.storage_key for instance in instances]
        discard_files(session, FilePlace.INSTANCES, keys, now)
        uids = [instance.sop_instance_uid for instance in instances]
        append_audit(session, _act(session, verdict, len(instances)), now)
        append_changes(session.connection(), ChangeKind.BYTES_REMOVED, uids, now)
    _log.info(
        "study_files_removed",
        study_instance_uid=study.study_instance_uid,
        reason=verdict.reason,
        instances=len(instances),
        size_bytes=sum(instance.size_bytes for instance in instances),
    )
    return True


def _act(session: Session, verdict: Verdict, count: int) -> AuditEvent:
    uid = verdict.study.study_instance_uid
    return AuditEvent(
        Actor("arcuate", "deliver"),
        AuditAction.DELETE,
        "study",
        uid,
        patients_of(session, "study", uid),
        detail={"reason": str(verdict.reason), "count": count},
    )


def _lock_instances(session: Session, study_key: int) -> Sequence[InstanceRow]:
    # Against the same object sent again at this moment; predictions may refer to them meanwhile.
    statement = (
        select(InstanceRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(SeriesRow.study_key) == study_key, is_removable())
        .order_by(col(InstanceRow.id))
        .with_for_update(key_share=True, of=InstanceRow)
    )
    return session.exec(statement).all()


def _last_kept_at(instances: Sequence[InstanceRow]) -> datetime | None:
    moments = (instance.sent_again_at or instance.received_at for instance in instances)
    return max(moments, default=None)
