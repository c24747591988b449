"""Studies in an archive, with real files, in every state retention must tell apart.

keep_raw(archive, "1", at)            one raw data object: no job, nothing that holds it
keep_scan(archive, "1", at)           a scan that waits for its analysis
answer(archive, key)                  it was analysed
report(archive, prediction_id)        its report is kept
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydicom import Dataset
from sqlmodel import col, select, update

from core import ledger
from core.predictions import record_prediction
from core.tables.columns import key_of
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.reports import ReportRow
from core.values.prediction import PredictionStatus
from dicom_node.storage.archive import Archive
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from dicom_node.storage.reports import keep_report, write_report
from tests.builders.encoded_instance import build_instance, encode_instance
from tests.builders.prediction import build_prediction

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"
#: Length of the pixels of each object, so that sizes can be told.
PIXEL_BYTES = 1000


def days_ago(days: float) -> datetime:
    """Return a moment before NOW."""
    return NOW - timedelta(days=days)


def encode(study: str, number: int = 1, **keywords: object) -> EncodedInstance:
    """Return an object of study 1.2.`study`."""
    return encode_instance(
        **{
            "StudyInstanceUID": f"1.2.{study}",
            "SeriesInstanceUID": f"1.2.{study}.1",
            "SOPInstanceUID": f"1.2.{study}.1.{number}",
            "PixelData": bytes(PIXEL_BYTES),
            **keywords,
        }
    )


def encode_raw(study: str, number: int = 1, **keywords: object) -> EncodedInstance:
    """Return an object no model reads."""
    return encode(
        study,
        number,
        SOPClassUID=RAW_DATA,
        Modality="OPV",
        Manufacturer="Carl Zeiss Meditec",
        **keywords,
    )


def keep_raw(archive: Archive, study: str, at: datetime, number: int = 1) -> int:
    """Keep an object no model reads; return the primary key of its instance."""
    return ingest(archive, encode_raw(study, number), clock=lambda: at).instance_key


def keep_scan(archive: Archive, study: str, at: datetime, number: int = 1) -> int:
    """Keep a scan with its job; return the primary key of its instance."""
    return ingest(archive, encode(study, number), clock=lambda: at).instance_key


def answer(
    archive: Archive, instance_key: int, status: PredictionStatus = PredictionStatus.FINAL
) -> str:
    """Record the end of an analysis with the job of its report; return the prediction's id."""
    prediction_id = f"prediction-{instance_key}-{status}"
    with archive.database.transaction() as session:
        row = session.get_one(InstanceRow, instance_key)
        row.outcome = InstanceOutcome.PREDICTED
        prediction = build_prediction(prediction_id=prediction_id, status=status)
        recorded = record_prediction(session, prediction, instance_key, None)
        ledger.enqueue(session, JobKind.REPORT, recorded)
    is_failure = status is PredictionStatus.FAILED
    end = JobStatus.FAILED if is_failure else JobStatus.DONE
    end_job(archive, JobKind.ANALYSE, str(instance_key), end)
    return recorded


def report(archive: Archive, prediction_id: str, study: str) -> int:
    """Keep a report in a study, with its job done; return the primary key of its instance."""
    dataset: Dataset = build_instance(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.34",
        StudyInstanceUID=f"1.2.{study}",
        SeriesInstanceUID=f"1.2.{study}.9",
        SOPInstanceUID=f"1.2.{study}.9.1",
        Modality="SR",
    )
    with archive.database.transaction() as session:
        key = key_of(keep_report(session, write_report(archive.storage, dataset)))
        session.add(ReportRow(prediction_id=prediction_id, kind="sr", instance_key=key))
    end_job(archive, JobKind.REPORT, prediction_id, JobStatus.DONE)
    return key


def keep_settled(archive: Archive, study: str, at: datetime) -> tuple[int, int]:
    """Keep a scan that is scored and reported; return the keys of scan and report."""
    scan = keep_scan(archive, study, at)
    return scan, report(archive, answer(archive, scan), study)


def end_job(archive: Archive, kind: JobKind, subject: str, status: JobStatus) -> None:
    """Let every job of a subject stand so."""
    of_subject = (col(JobRow.kind) == kind, col(JobRow.subject) == subject)
    with archive.database.transaction() as session:
        session.execute(update(JobRow).where(*of_subject).values(status=status))


def instance(archive: Archive, key: int) -> InstanceRow:
    """Return the row of an instance."""
    with archive.database.reading() as session:
        return session.get_one(InstanceRow, key)


def path(archive: Archive, key: int) -> Path:
    """Return where the file of an instance lies, or lay."""
    return archive.storage.root / instance(archive, key).storage_key


def assert_rows_and_files_agree(archive: Archive) -> None:
    """Every row that claims bytes has them, and no file is there that no row claims."""
    with archive.database.reading() as session:
        rows = session.exec(select(InstanceRow)).all()
    claimed = {row.storage_key for row in rows if row.bytes_removed_at is None}
    root = archive.storage.root
    there = {str(p.relative_to(root)) for p in root.glob("[0-9a-f]/*.dcm")}
    assert there == claimed
