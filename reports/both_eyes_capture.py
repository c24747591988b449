"""Both eyes of a study as Secondary Capture: the page of both as a picture."""

from collections.abc import Sequence
from typing import Final

from pydicom import Dataset

from core.values.both_eyes import BothEyes
from core.values.report_context import KeptReport
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
from reports.both_eyes_page import draw_both_eyes_rgb, notice_of
from reports.encapsulated_pdf import source_reference
from reports.equipment import Equipment
from reports.report import ReportKind
from reports.secondary_capture import capture, derivation_words
from reports.sr_document import Heading

_SERIES_NUMBER: Final = 24206


class BothEyesCapture:
    """The picture of a study's summary, with the patient's name and the warning burned in."""

    kind: Final = ReportKind.SECONDARY_CAPTURE

    def build_both(
        self,
        both: BothEyes,
        sources: EyeSources,
        equipment: Equipment,
        kept: Sequence[KeptReport] = (),
        predecessors: Sequence[KeptReport] = (),
    ) -> Dataset:
        """Return the report; see `BothEyesFormat.build_both`.

        A picture names no predecessor: its class has no place for one. Its Instance Number counts
        the versions.
        """
        headers = read_eye_sources(both, sources)
        heading = Heading(
            series_instance_uid=summary_uid("series", self.kind, both),
            sop_instance_uid=summary_uid("instance", self.kind, both),
            series_number=_SERIES_NUMBER,
            instance_number=both.version,
            description=description_of(both),
            moment=settled_moment(both, headers[0], equipment),
            contributors=contributors(both, equipment),
        )
        picture = draw_both_eyes_rgb(as_the_scans_name_them(both, headers))
        image = capture(picture, headers[0], heading, equipment)
        image.ImageLaterality = "B"
        image.DerivationDescription = _derivation(both)
        image.SourceImageSequence = [source_reference(h) for h in scans_of(both, headers)]
        return image


def _derivation(both: BothEyes) -> str:
    words = " and of ".join(dict.fromkeys(derivation_words(eye.prediction) for eye in both.eyes))
    return f"Drawn from the results of {words}; not a measured visual field. {notice_of(both)}"
