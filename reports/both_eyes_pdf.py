"""Both eyes of a study as Encapsulated PDF: one page, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydicom import Dataset

from core.values.both_eyes import BothEyes, EyeOfStudy
from core.values.report_context import KeptReport
from reports import codes
from reports.both_eyes_format import (
    DESCRIPTION,
    EyeSources,
    contributors,
    read_eye_sources,
    settled_moment,
    summary_uid,
)
from reports.both_eyes_page import draw_both_eyes_pdf
from reports.encapsulated_pdf import encapsulate, finish, name_predecessors, source_reference
from reports.equipment import Equipment
from reports.heading import stamp
from reports.report import ReportKind
from reports.source import patient_of

_SERIES_NUMBER: Final = 24205


class BothEyesPdf:
    """The page of a study's summary."""

    kind: Final = ReportKind.PDF

    def build_both(
        self,
        both: BothEyes,
        sources: EyeSources,
        equipment: Equipment,
        kept: Sequence[KeptReport] = (),
        predecessors: Sequence[KeptReport] = (),
    ) -> Dataset:
        """Return the report; see `BothEyesFormat.build_both`."""
        headers = read_eye_sources(both, sources)
        moment = settled_moment(both, headers[0], equipment)
        page = draw_both_eyes_pdf(_as_the_scans_name_them(both, headers))
        document = encapsulate(page, headers[0], equipment, moment)
        document.SeriesInstanceUID = summary_uid("series", self.kind, both)
        document.SOPInstanceUID = summary_uid("instance", self.kind, both)
        document.SeriesNumber, document.InstanceNumber = _SERIES_NUMBER, both.version
        document.SeriesDescription = document.DocumentTitle = DESCRIPTION
        document.ConceptNameCodeSequence = [codes.REPORT_TITLE]
        document.ImageLaterality = "B"
        document.SourceInstanceSequence = [source_reference(h) for h in _scans(both, headers)]
        document.ContributingEquipmentSequence = contributors(both, equipment)
        name_predecessors(document, [old for old in predecessors if old.kind == self.kind])
        stamp(document, moment)
        return finish(document)


def _scans(both: BothEyes, headers: Sequence[Dataset]) -> list[Dataset]:
    """Return the headers of the two scans, without what was read beside them."""
    uids = {eye.prediction.source.sop_instance_uid for eye in both.eyes}
    return [header for header in headers if header.SOPInstanceUID in uids]


def _as_the_scans_name_them(both: BothEyes, headers: Sequence[Dataset]) -> BothEyes:
    def named(eye: EyeOfStudy) -> EyeOfStudy:
        patient = patient_of(headers[0], eye.prediction.patient)
        return replace(eye, prediction=replace(eye.prediction, patient=patient))

    return replace(both, right=named(both.right), left=named(both.left))
