"""Keeping aside what must not be taken in, so that someone can look at it."""

from sqlmodel import col, select

from core.changes import append_change
from core.clock import Clock
from core.logs import get_logger
from core.tables.changes import ChangeKind
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import InstanceRefused
from dicom_node.storage.archive import Archive, digest_key
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.part10 import EncodedInstance, file_preamble

_log = get_logger(__name__)


def keep_aside(
    archive: Archive, encoded: EncodedInstance, digest: str, refusal: InstanceRefused, clock: Clock
) -> None:
    """Keep the bytes in quarantine, and a row with the cause; once per content and cause."""
    key = digest_key(digest)
    archive.quarantine.put(key, (file_preamble(encoded), encoded.data_set))
    row = QuarantineRow(
        code=refusal.code,
        message=str(refusal),
        calling_ae_title=encoded.calling_ae_title,
        sop_class_uid=_uid_or_nothing(encoded.sop_class_uid),
        sop_instance_uid=_uid_or_nothing(encoded.sop_instance_uid),
        storage_key=key,
        size_bytes=len(encoded.data_set),
        digest=digest,
        received_at=clock(),
    )
    if _add_once(archive, row):
        _log.warning(
            "instance_quarantined", code=row.code, digest=digest, peer=row.calling_ae_title
        )


def _add_once(archive: Archive, row: QuarantineRow) -> bool:
    known = select(QuarantineRow.id).where(
        col(QuarantineRow.digest) == row.digest, col(QuarantineRow.code) == row.code
    )
    with archive.database.transaction() as session:
        if session.exec(known).first() is not None:
            return False
        session.add(row)
        session.flush()
        append_change(session, ChangeKind.INSTANCE_QUARANTINED, str(row.id))
    return True


def _uid_or_nothing(text: str) -> str:
    return text if is_uid(text) else ""
