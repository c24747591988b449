"""Reports that wait for a destination, and what became of them.

reports = SentReports(archive, settings)      of an archive of `open_test_archive`
reports.add("pacs", "folder", "/tmp/x")       a destination with a rule that lets everything go
reports.keep_reports(3)                       of three studies, planned as ReportStep does
reports.deliver()                             every job that is due, as a `deliver` process would
reports.deliveries()                          the rows, oldest first
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pydicom import Dataset
from sqlmodel import col, select, update

from core import ledger
from core.clock import utc_now
from core.deliveries.destinations import add_destination, find_destination
from core.deliveries.planning import plan_deliveries
from core.deliveries.retrying import retry_delivery
from core.deliveries.rules import add_rule, facts_of
from core.settings import Settings
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.values.identity import InstanceIdentity, PatientIdentity
from core.worker import Worker
from dicom_node.delivery.delivering import DeliverStep
from dicom_node.delivery.targets.register import find_target
from dicom_node.storage.archive import Archive
from dicom_node.storage.reports import keep_report, write_report
from reports.equipment import Equipment
from reports.secondary_capture import SecondaryCapture
from reports.structured_report import StructuredReport
from tests.builders.opt import build_circle_opt
from tests.builders.prediction import build_prediction


@dataclass
class SentReports:
    """The deliveries of an archive, driven by hand."""

    archive: Archive
    settings: Settings
    stopping: threading.Event = field(default_factory=threading.Event)
    _made: int = 0

    def add(
        self,
        name: str,
        kind: str,
        address: str,
        secret: str | None = None,
        report_kinds: Sequence[str] = (),
        **given: str,
    ) -> None:
        """Add a destination with a rule that lets every report of these kinds go."""
        options = find_target(kind).read_options(address, given, secret)
        with self.archive.database.transaction() as session:
            row = add_destination(session, name, kind, address, options, secret)
            add_rule(session, row, report_kinds=report_kinds)

    def keep_reports(self, studies: int = 1) -> None:
        """Keep the reports of that many scored studies, two objects each, as ReportStep does."""
        for _ in range(studies):
            self._made += 1
            facts = [facts_of(build_prediction())]
            with self.archive.database.transaction() as session:
                for kind, dataset in built_reports(self._made):
                    instance = keep_report(session, write_report(self.archive.storage, dataset))
                    plan_deliveries(session, instance, kind, facts)

    def worker(self) -> Worker:
        database = self.archive.database
        step = DeliverStep(database, self.archive.storage, self.settings, self.stopping)
        return Worker(database, self.settings, step, self.stopping)

    def deliver(self) -> None:
        """Serve every destination that is due, until none is."""
        worker = self.worker()
        while self._is_due():
            worker.run_once()

    def send_again(self) -> None:
        """Send everything once more."""
        with self.archive.database.transaction() as session:
            for row in self.deliveries():
                retry_delivery(session, key_of(row))
        self.deliver()

    def hurry(self) -> None:
        """Let everything that is put off be due, and the pause of every destination be over."""
        with self.archive.database.transaction() as session:
            pauses = col(DestinationRow.retry_at).is_not(None)
            session.execute(update(DestinationRow).where(pauses).values(retry_at=utc_now()))
            session.execute(update(JobRow).values(available_at=0.0))
            waits = col(DeliveryRow.available_at).is_not(None)
            session.execute(update(DeliveryRow).where(waits).values(available_at=0.0))

    def deliveries(self) -> Sequence[DeliveryRow]:
        with self.archive.database.reading() as session:
            return session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()

    def states(self) -> list[str]:
        return [str(row.state) for row in self.deliveries()]

    def destination(self, name: str) -> DestinationRow:
        with self.archive.database.reading() as session:
            return find_destination(session, name)

    def uids(self) -> list[str]:
        """The reports there are, oldest first."""
        with self.archive.database.reading() as session:
            statement = (
                select(InstanceRow.sop_instance_uid)
                .join(DeliveryRow, col(DeliveryRow.instance_key) == col(InstanceRow.id))
                .order_by(col(DeliveryRow.id))
            )
            return list(session.exec(statement).all())

    def jobs(self) -> list[JobRow]:
        with self.archive.database.reading() as session:
            statement = select(JobRow).where(
                col(JobRow.kind) == JobKind.DELIVER, col(JobRow.status) != JobStatus.DONE
            )
            return list(session.exec(statement).all())

    def _is_due(self) -> bool:
        with self.archive.database.reading() as session:
            return ledger.is_any_claimable(session, JobKind.DELIVER)


@lru_cache
def built_reports(number: int) -> tuple[tuple[str, Dataset], ...]:
    """Every report of a study of that number; building them is what takes long."""
    stem = f"1.2.3.77.{number}"
    uids = {
        "StudyInstanceUID": stem,
        "SeriesInstanceUID": f"{stem}.1",
        "SOPInstanceUID": f"{stem}.1.1",
    }
    scan = build_circle_opt(**uids)
    prediction = build_prediction(
        prediction_id=f"prediction-{number}",
        patient=PatientIdentity("TEST-0001", None, "Test^Eye", None, "F"),
        source=InstanceIdentity(*uids.values(), "TEST-ACC-1"),
    )
    equipment = Equipment("1.2.3", "node-1")
    return tuple(
        (f.kind, f.build(prediction, [scan], equipment))
        for f in (StructuredReport(), SecondaryCapture())
    )
