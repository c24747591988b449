"""The step that builds reports anew whose prediction is another patient's now."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

from pydicom import Dataset
from sqlmodel import Session, col, select

from core import ledger
from core.clock import Clock, utc_now
from core.deliveries.letting_go import IDENTITY_CORRECTED, let_go
from core.identities.locking import lock_study
from core.ledger import Claim
from core.logs import get_logger
from core.predictions import load_patient
from core.reviews import reviews_of
from core.tables.columns import key_of
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.series import SeriesRow
from dicom_node.delivery.corrected_headers import write_identity
from dicom_node.delivery.reporting import ReportStep
from dicom_node.errors import BytesRemoved
from dicom_node.storage.reports import WrittenReport, keep_report, write_report
from dicom_node.storage.retrieve import read_dataset
from reports.reissued_report import as_successor, names_the_same
from reports.report import ReportKind
from reports.reviewed_report import reviewed_report

_log = get_logger(__name__)


class _Kept(NamedTuple):
    """A report that is kept, with what it says."""

    row: ReportRow
    dataset: Dataset


class _Anew(NamedTuple):
    """A report that takes the place of a kept one."""

    row: ReportRow
    report: Dataset


class _Written(NamedTuple):
    """The same, durable."""

    row: ReportRow
    report: WrittenReport


class _Standing(NamedTuple):
    """Whose a prediction is, and its reports by kind and version: what an answer was built from."""

    patient_key: int
    reports: frozenset[tuple[str, int, int]]


@dataclass(frozen=True)
class ReissueStep:
    """Replaces the kept reports of a prediction that name another patient than they should.

    What names the right one stays. Of the reports of reviews the last one is built anew; those
    before it are history, and say what was said then.

    Attributes
    ----------
    reports
        How reports are built and kept.
    organization
        As `ReviewStep`.
    """

    reports: ReportStep
    organization: str = ""
    clock: Clock = utc_now
    kind: JobKind = JobKind.REISSUE
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Bring the reports of each claimed prediction up to date."""
        for claimed in claims:
            self._reissue(claimed)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave it to the failed job to tell: the reports name the former patient."""
        _log.error("reports_not_reissued", prediction=claim.subject, error=error)

    def _reissue(self, claimed: Claim) -> None:
        with self.reports.database.reading() as session:
            before = _standing(session, claimed.subject)
            kept = self._kept(session, claimed.subject)
        anew = self._anew(claimed.subject, kept) if kept else []
        former = _former(kept, anew)
        written = [
            _Written(one.row, write_report(self.reports.storage, one.report, self.clock))
            for one in anew
        ]
        with self.reports.database.transaction() as session:
            if (written or former) and _is_overtaken(session, claimed.subject, before):
                # Given to yet another patient, or done by another worker: looked at once more.
                ledger.give_back(session, claimed)
                return
            ledger.finish(session, claimed)
            # Before the first is kept: that takes the number of a change.
            let_go(session, former, IDENTITY_CORRECTED, self.clock())
            for one in written:
                self._keep(session, one)
        _log.info("reports_reissued", prediction=claimed.subject, reports=len(written))

    def _kept(self, session: Session, prediction_id: str) -> list[_Kept]:
        statement = (
            select(ReportRow, InstanceRow.sop_instance_uid)
            .join(InstanceRow, col(InstanceRow.id) == col(ReportRow.instance_key))
            .where(col(ReportRow.prediction_id) == prediction_id)
            .order_by(col(ReportRow.version), col(ReportRow.kind))
        )
        storage = self.reports.storage
        return [
            _Kept(row, read_dataset(session, storage, uid))
            for row, uid in session.exec(statement).all()
        ]

    def _anew(self, prediction_id: str, kept: Sequence[_Kept]) -> list[_Anew]:
        """Return the reports that take the place of kept ones; none where all are right."""
        originals = [one for one in kept if one.row.version == 0]
        built = self._build(prediction_id, originals)
        at = self.clock()
        anew = [
            _Anew(one.row, as_successor(built[one.row.kind], one.dataset, at))
            for one in originals
            if one.row.kind in built and not names_the_same(built[one.row.kind], one.dataset)
        ]
        return anew + self._last_review(prediction_id, kept, anew)

    def _build(self, prediction_id: str, originals: Sequence[_Kept]) -> dict[str, Dataset]:
        try:
            return dict(self.reports.build(prediction_id))
        except BytesRemoved:
            # What was drawn cannot be drawn again without its scan; what is written can be copied.
            _log.warning("reports_reissued_in_part", prediction=prediction_id)
            return self._copied(prediction_id, originals)

    def _copied(self, prediction_id: str, originals: Sequence[_Kept]) -> dict[str, Dataset]:
        with self.reports.database.reading() as session:
            patient = load_patient(session, prediction_id)
        copies = {one.row.kind: deepcopy(one.dataset) for one in originals if _is_written(one)}
        for copy in copies.values():
            write_identity(copy, patient)
        return copies

    def _last_review(
        self, prediction_id: str, kept: Sequence[_Kept], anew: Sequence[_Anew]
    ) -> list[_Anew]:
        versions = [one for one in kept if one.row.version > 0]
        first = _structured(kept, anew)
        # Looked at for itself: one that was built before the others were replaced came after them.
        if first is None or not versions or names_the_same(first, versions[-1].dataset):
            return []
        last = versions[-1]
        with self.reports.database.reading() as session:
            review = reviews_of(session, prediction_id)[last.row.version - 1]
        report = reviewed_report(first, last.dataset, review, self.organization)
        return [_Anew(last.row, as_successor(report, last.dataset, self.clock()))]

    def _keep(self, session: Session, anew: _Written) -> None:
        """Keep a report in the caller's transaction, in the place of the former."""
        instance = keep_report(session, anew.report)
        row = session.get_one(ReportRow, (anew.row.prediction_id, anew.row.kind, anew.row.version))
        row.instance_key = key_of(instance)
        session.flush()
        self.reports.plan(session, row.prediction_id, row.kind, instance)


def _standing(session: Session, prediction_id: str) -> _Standing:
    """Return whose a prediction is, and which objects are its reports."""
    reports = select(ReportRow.kind, ReportRow.version, ReportRow.instance_key).where(
        col(ReportRow.prediction_id) == prediction_id
    )
    patient = load_patient(session, prediction_id)
    return _Standing(key_of(patient), frozenset(session.exec(reports).all()))


def _is_overtaken(session: Session, prediction_id: str, before: _Standing) -> bool:
    """Whether patient or reports changed since; from now on nobody changes them meanwhile."""
    study = (
        select(SeriesRow.study_key)
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
        .join(PredictionRow, col(PredictionRow.instance_key) == col(InstanceRow.id))
        .where(col(PredictionRow.id) == prediction_id)
    )
    lock_study(session, session.exec(study).one())
    return _standing(session, prediction_id) != before


def _structured(kept: Sequence[_Kept], anew: Sequence[_Anew]) -> Dataset | None:
    """Return the structured report of the prediction that holds from now on."""
    standing = [one.report for one in anew if _is_first(one.row)]
    standing += [one.dataset for one in kept if _is_first(one.row)]
    return standing[0] if standing else None


def _former(kept: Sequence[_Kept], anew: Sequence[_Anew]) -> set[int]:
    """Return the kept objects that are not to be sent: what is replaced, or names a former patient.

    Among those are the reports of earlier reviews, and what cannot be drawn again.
    """
    holds = _structured(kept, anew)
    others = [] if holds is None else [k for k in kept if not names_the_same(holds, k.dataset)]
    return {one.row.instance_key for one in anew} | {one.row.instance_key for one in others}


def _is_first(row: ReportRow) -> bool:
    return row.kind == ReportKind.STRUCTURED_REPORT and row.version == 0


def _is_written(kept: _Kept) -> bool:
    return str(kept.dataset.Modality) == "SR"
