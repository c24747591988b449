"""The step that writes the reports of a prediction and keeps them in the study of its scan."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydicom import Dataset
from sqlmodel import Session

from core import ledger
from core.database import Database
from core.ledger import Claim
from core.logs import get_logger
from core.predictions import load_prediction, picture_key
from core.tables.columns import key_of
from core.tables.jobs import JobKind
from core.tables.reports import ReportRow
from core.values.prediction import Prediction
from dicom_node.devices.reading import read_localizer_reference
from dicom_node.storage.bytes import Storage
from dicom_node.storage.instances import find_instance
from dicom_node.storage.pictures import read_picture
from dicom_node.storage.reports import keep_report
from dicom_node.storage.retrieve import read_dataset, referenced_localizer
from reports.equipment import Equipment
from reports.register import REPORT_FORMATS
from reports.report import ReportFormat

_log = get_logger(__name__)


@dataclass(frozen=True)
class ReportStep:
    """Builds every report format of a prediction, each kept as an instance of the same study."""

    database: Database
    storage: Storage
    equipment: Equipment
    kind: JobKind = JobKind.REPORT
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Report each claimed prediction."""
        for claimed in claims:
            with self.database.reading() as session:
                prediction = self._load(session, claimed.subject)
                sources = self._read_sources(session, prediction)
            built = [(f, f.build(prediction, sources, self.equipment)) for f in REPORT_FORMATS]
            with self.database.transaction() as session:
                for report_format, dataset in built:
                    self._keep(session, prediction, report_format, dataset)
                ledger.finish(session, claimed)
            _log.info("prediction_reported", prediction=claimed.subject)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave it to the failed job to tell: the prediction itself stands without its reports."""
        _log.error("prediction_not_reported", prediction=claim.subject, error=error)

    def _load(self, session: Session, prediction_id: str) -> Prediction:
        prediction = load_prediction(session, prediction_id)
        picture = read_picture(self.storage, picture_key(session, prediction_id))
        return replace(prediction, picture=picture)

    def _read_sources(self, session: Session, prediction: Prediction) -> list[Dataset]:
        scan_uid = prediction.source.sop_instance_uid
        scan = read_dataset(session, self.storage, scan_uid, pixels=False)
        reference, row = read_localizer_reference(scan), find_instance(session, scan_uid)
        if reference is None or row is None:
            return [scan]
        kept = referenced_localizer(session, row, reference)
        if kept is None:
            return [scan]
        return [scan, read_dataset(session, self.storage, kept.sop_instance_uid, pixels=False)]

    def _keep(
        self,
        session: Session,
        prediction: Prediction,
        report_format: ReportFormat,
        dataset: Dataset,
    ) -> None:
        instance = keep_report(session, self.storage, dataset)
        key = (prediction.prediction_id, report_format.kind, 0)
        if session.get(ReportRow, key) is None:
            session.add(
                ReportRow(
                    prediction_id=prediction.prediction_id,
                    kind=report_format.kind,
                    instance_key=key_of(instance),
                )
            )
