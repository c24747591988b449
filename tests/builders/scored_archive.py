"""A node whose archive holds many scans, of which no model has said anything yet.

node = keep_scans(Settings(home=…), 500)              one circle scan under 500 names
"""

from datetime import timedelta

from sqlmodel import select

from arcuate.node import Node, prepare_node
from core.clock import utc_now
from core.recall import withdraw
from core.settings import Settings
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind
from dicom_node.storage.archive import open_archive
from tests.builders.opt import build_circle_opt
from tests.builders.received import receive

#: Fewer than a database takes as parameters of one statement.
_AT_ONCE = 5000


def keep_scans(settings: Settings, count: int) -> Node:
    """Make a node that keeps so many scans, none of which waits to be analysed."""
    node = prepare_node(settings)
    archive = open_archive(settings, node.database, node.storage)
    archive.prepare()
    scan = build_circle_opt()
    for number in range(count):
        scan.SOPInstanceUID = scan.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        receive(archive, scan, at=utc_now() - timedelta(minutes=5))
    with node.database.transaction() as session:
        rows = session.exec(select(InstanceRow)).all()
        for row in rows:
            row.outcome = InstanceOutcome.NOT_MODEL_INPUT
        keys = [str(row.id) for row in rows]
        for start in range(0, len(keys), _AT_ONCE):
            withdraw(session, JobKind.ANALYSE, keys[start : start + _AT_ONCE])
    return node
