"""Keeping aside what must not be taken in, so that someone can look at it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from core.changes import append_change
from core.logs import get_logger
from core.tables.changes import ChangeKind
from core.tables.discarded_files import FilePlace
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import InstanceRefused
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import named_faults
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.part10 import Announced
from dicom_node.storage.retention.files import need_files
from dicom_node.storage.unfinished import Unfinished

_log = get_logger(__name__)


@dataclass(frozen=True)
class Refused:
    """An object that must not be taken in: what was said of it, what came, and why not.

    Attributes
    ----------
    digest, size_bytes
        SHA-256 (hex) and length of its data set.
    """

    announced: Announced
    digest: str
    size_bytes: int
    refusal: InstanceRefused
    received_at: datetime


def keep_aside(archive: Archive, refused: Refused, file: Iterable[bytes]) -> None:
    """Keep a file in quarantine, and a row with the cause; once per content and cause."""
    key = digest_key(refused.digest)
    row = QuarantineRow(
        code=refused.refusal.code,
        message=str(refused.refusal),
        calling_ae_title=refused.announced.calling_ae_title,
        sop_class_uid=_uid_or_nothing(refused.announced.sop_class_uid),
        sop_instance_uid=_uid_or_nothing(refused.announced.sop_instance_uid),
        storage_key=key,
        size_bytes=refused.size_bytes,
        digest=refused.digest,
        received_at=refused.received_at,
    )
    with named_faults(), archive.quarantine.begin() as unfinished:
        for chunk in file:
            unfinished.write(chunk)
        unfinished.sync()
        is_new = _add_once(archive, row, unfinished)
    if is_new:
        _log.warning(
            "instance_quarantined", code=row.code, digest=row.digest, peer=row.calling_ae_title
        )


def _add_once(archive: Archive, row: QuarantineRow, unfinished: Unfinished) -> bool:
    known = select(QuarantineRow.id).where(
        col(QuarantineRow.digest) == row.digest, col(QuarantineRow.code) == row.code
    )
    with archive.database.transaction() as session:
        # Retention may be removing the same content at this moment.
        need_files(session, FilePlace.QUARANTINE, [row.storage_key])
        archive.quarantine.keep([(unfinished, row.storage_key)])
        if session.exec(known).first() is not None:
            return False
        session.add(row)
        session.flush()
        append_change(session, ChangeKind.INSTANCE_QUARANTINED, str(row.id))
    return True


def _uid_or_nothing(text: str) -> str:
    return text if is_uid(text) else ""
