"""Instances of which a sender's own content is not what is kept under their UID."""

from collections.abc import Collection

from sqlmodel import Session, col, or_, select

from core.tables.instances import InstanceRow
from core.tables.quarantine import QuarantineRow
from dicom_node.storage.quarantine import KEPT_BESIDE, REPLACED


def find_contested(session: Session, sender: str, rows: Collection[InstanceRow]) -> set[str]:
    """Return the SOP Instance UIDs under which this sender's content gave way to another.

    Its content lies in quarantine, which is no promise to keep it: whoever asks must not be told
    that it is safe to delete. Whoever replaced its own content speaks of the new one.
    """
    own = {row.sop_instance_uid for row in rows if row.calling_ae_title == sender}
    statement = select(col(QuarantineRow.sop_instance_uid), col(QuarantineRow.code)).where(
        col(QuarantineRow.sop_instance_uid).in_([row.sop_instance_uid for row in rows]),
        col(QuarantineRow.calling_ae_title) == sender,
        or_(
            col(QuarantineRow.code) == KEPT_BESIDE.code,
            col(QuarantineRow.code) == REPLACED.code,
        ),
    )
    found = session.exec(statement).all()
    return {uid for uid, code in found if code == KEPT_BESIDE.code or uid not in own}
