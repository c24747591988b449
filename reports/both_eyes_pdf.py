"""Both eyes of a study as Encapsulated PDF: one page, side by side."""

from collections.abc import Sequence
from typing import Final

from pydicom import Dataset

from core.values.both_eyes import BothEyes
from core.values.report_context import KeptReport
from reports import codes
from reports.both_eyes_format import (
    EyeSources,
    as_the_scans_name_them,
    contributors,
    description_of,
    read_eye_sources,
    scans_of,
    settled_moment,
    summary_uid,
)
from reports.both_eyes_page import draw_both_eyes_pdf
from reports.encapsulated_pdf import encapsulate, finish, name_predecessors, source_reference
from reports.equipment import Equipment
from reports.heading import stamp
from reports.report import ReportKind

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
        page = draw_both_eyes_pdf(as_the_scans_name_them(both, headers))
        document = encapsulate(page, headers[0], equipment, moment)
        document.SeriesInstanceUID = summary_uid("series", self.kind, both)
        document.SOPInstanceUID = summary_uid("instance", self.kind, both)
        document.SeriesNumber, document.InstanceNumber = _SERIES_NUMBER, both.version
        document.SeriesDescription = document.DocumentTitle = description_of(both)
        document.ConceptNameCodeSequence = [codes.REPORT_TITLE]
        document.ImageLaterality = "B"
        document.SourceInstanceSequence = [source_reference(h) for h in scans_of(both, headers)]
        document.ContributingEquipmentSequence = contributors(both, equipment)
        name_predecessors(document, [old for old in predecessors if old.kind == self.kind])
        stamp(document, moment)
        return finish(document)
