"""Keeping aside what must not be taken in, so that someone can look at it."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sqlmodel import Session, col, select

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
class Cause:
    """Why an object is kept aside: a code, which is a contract, and what an administrator reads."""

    code: str
    message: str

    @classmethod
    def of(cls, refusal: InstanceRefused) -> Self:
        """Return what a refusal says."""
        return cls(refusal.code, str(refusal))


#: Its sender was answered Success: it is not lost, and the first one is the record.
KEPT_BESIDE: Final = Cause(
    "instance_kept_beside", "SOP Instance UID is already kept with other content; both are kept."
)
#: It was the record until then.
REPLACED: Final = Cause(
    "instance_replaced", "Other content came under its SOP Instance UID and took its place."
)


@dataclass(frozen=True)
class Aside:
    """An object that is not taken in: what was said of it, what came, and why not.

    Attributes
    ----------
    digest, size_bytes
        SHA-256 (hex) and length of its data set.
    """

    announced: Announced
    digest: str
    size_bytes: int
    cause: Cause
    received_at: datetime


def keep_aside(archive: Archive, aside: Aside, file: Iterable[bytes]) -> None:
    """Keep a file in quarantine, and a row with the cause; both survive a power cut on return."""
    with write_aside(archive, file) as unfinished, archive.database.transaction() as session:
        is_new = record_aside(session, archive, aside, unfinished)
    if is_new:
        _log.warning(
            "instance_quarantined",
            code=aside.cause.code,
            digest=aside.digest,
            peer=aside.announced.calling_ae_title,
        )


@contextmanager
def write_aside(archive: Archive, file: Iterable[bytes]) -> Generator[Unfinished]:
    """Write a file that `record_aside` may name until the block ends."""
    with named_faults(), archive.quarantine.begin() as unfinished:
        for chunk in file:
            unfinished.write(chunk)
        unfinished.sync()
        yield unfinished


def record_aside(session: Session, archive: Archive, aside: Aside, file: Unfinished) -> bool:
    """Name a file and write its row, once per content and cause; return whether it is new.

    What comes again lies there since it came last: under one policy its sender is told Success.
    """
    key = digest_key(aside.digest)
    # Retention may be removing the same content at this moment.
    need_files(session.connection(), FilePlace.QUARANTINE, [key])
    archive.quarantine.keep([(file, key)])
    statement = select(QuarantineRow).where(
        col(QuarantineRow.digest) == aside.digest, col(QuarantineRow.code) == aside.cause.code
    )
    known = session.exec(statement).first()
    if known is not None:
        known.received_at = max(known.received_at, aside.received_at)
        # Whoever dismissed it thought that it was over.
        known.dismissed_at = known.dismissed_by = None
        return False
    row = QuarantineRow(
        code=aside.cause.code,
        message=aside.cause.message,
        calling_ae_title=aside.announced.calling_ae_title,
        sop_class_uid=_uid_or_nothing(aside.announced.sop_class_uid),
        sop_instance_uid=_uid_or_nothing(aside.announced.sop_instance_uid),
        storage_key=key,
        size_bytes=aside.size_bytes,
        digest=aside.digest,
        received_at=aside.received_at,
    )
    session.add(row)
    session.flush()
    append_change(session, ChangeKind.INSTANCE_QUARANTINED, str(row.id))
    return True


def _uid_or_nothing(text: str) -> str:
    return text if is_uid(text) else ""
