"""Stores that are refused before their bytes are kept: listed beside what is in quarantine."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlmodel import col, select

from core.changes import append_change
from core.errors import NodeError
from core.tables.changes import ChangeKind
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import ObjectTooLarge, UnsupportedSOPClass
from dicom_node.storage.archive import Archive
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.part10 import Announced

#: The `code` of their rows: a contract, add and never rename.
_CODES: Final[Mapping[type[NodeError], str]] = {
    ObjectTooLarge: "object_too_large",
    UnsupportedSOPClass: "sop_class_not_supported",
}
#: What keeps no bytes and is no fault of ours.
LISTED: Final = tuple(_CODES)


def list_refusal(
    archive: Archive, announced: Announced, refusal: NodeError, received_at: datetime
) -> None:
    """List a refusal where an administrator looks, once per sender, class and cause.

    Its row has no bytes; its digest is of those three.

    Raises
    ------
    DatabaseAway
        If it cannot be listed now; the sender may try again.
    """
    code, sender = _CODES[type(refusal)], announced.calling_ae_title
    sop_class_uid = announced.sop_class_uid if is_uid(announced.sop_class_uid) else ""
    digest = sha256("\n".join((code, sender, sop_class_uid)).encode()).hexdigest()
    with archive.database.transaction() as session:
        known = select(QuarantineRow.id).where(col(QuarantineRow.digest) == digest)
        if session.exec(known).first() is not None:
            return
        row = QuarantineRow(
            code=code,
            message=str(refusal),
            calling_ae_title=sender,
            sop_class_uid=sop_class_uid,
            storage_key=digest_key(digest),
            size_bytes=0,
            digest=digest,
            received_at=received_at,
        )
        session.add(row)
        session.flush()
        append_change(session, ChangeKind.INSTANCE_QUARANTINED, str(row.id))
