"""A scan that came and has a result, whose report is asked for."""

from dataclasses import replace

from pydicom import Dataset

from core import ledger
from core.database import Database
from core.predictions import record_prediction
from core.tables.jobs import JobKind
from core.values.identity import InstanceIdentity, PatientIdentity
from dicom_node.storage.archive import Archive
from tests.builders.opt import build_circle_opt
from tests.builders.prediction import build_prediction
from tests.builders.received import receive


def record_scan(archive: Archive, database: Database) -> Dataset:
    """Keep a scan and its result `p1`, and ask for the report; return the scan."""
    scan = build_circle_opt()
    key = receive(archive, scan)
    uids = scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.SOPInstanceUID
    prediction = replace(
        build_prediction(prediction_id="p1"),
        patient=PatientIdentity("TEST-0001", None, "Test^Eye", None, "F"),
        source=InstanceIdentity(*map(str, uids), "TEST-ACC-1"),
    )
    with database.transaction() as session:
        record_prediction(session, prediction, key, None)
        ledger.enqueue(session, JobKind.REPORT, "p1")
    return scan
