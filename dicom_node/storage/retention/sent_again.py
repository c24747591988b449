"""The same object sent once more: it is kept from now on, also where its bytes were removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, update

from core.tables.columns import table_of
from core.tables.discarded_files import FilePlace
from core.tables.instances import InstanceRow
from dicom_node.storage.retention.files import need_files

_INSTANCES: Final = table_of(InstanceRow)
_SENT_AGAIN: Final = (
    update(_INSTANCES)
    .where(_INSTANCES.c.id.in_(bindparam("keys", expanding=True)))
    .values(sent_again_at=bindparam("at"))
    .returning(
        *(_INSTANCES.c[n] for n in ("id", "sop_instance_uid", "storage_key", "bytes_removed_at"))
    )
)
_KEPT_AGAIN: Final = (
    update(_INSTANCES)
    .where(_INSTANCES.c.id.in_(bindparam("keys", expanding=True)))
    .values(bytes_removed_at=None, removal_reason=None)
)


def keep_longer(connection: Connection, keys: Sequence[int], at: datetime) -> list[str]:
    """Count the age of instances from now; return the UIDs of those whose bytes were removed.

    Called before their files are named: from here to the end of the caller's transaction retention
    touches neither rows nor files.
    """
    if not keys:
        return []
    rows = connection.execute(_SENT_AGAIN, {"keys": list(keys), "at": at}).all()
    removed = [row for row in rows if row.bytes_removed_at is not None]
    if removed:
        need_files(connection, FilePlace.INSTANCES, [row.storage_key for row in removed])
        connection.execute(_KEPT_AGAIN, {"keys": [row.id for row in removed]})
    return [row.sop_instance_uid for row in removed]
