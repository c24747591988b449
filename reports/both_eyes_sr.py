"""Both eyes of a study as one Comprehensive 3D SR: the whole of each field, no points.

The points stand in the report of each eye, which this one names as evidence.
"""

from collections.abc import Sequence
from typing import Final

from highdicom.sr import Comprehensive3DSR, MeasurementReport, ObservationContext
from pydicom import Dataset

from core.values.both_eyes import BothEyes
from core.values.report_context import KeptReport
from reports import codes
from reports.both_eyes_format import (
    EyeSources,
    contributors,
    description_of,
    read_eye_sources,
    settled_moment,
    summary_uid,
)
from reports.corrections import correct
from reports.equipment import Equipment
from reports.measurement_groups import global_group
from reports.report import ReportKind
from reports.source import image_of
from reports.sr_document import Heading, build_document, device_observer, version_of

#: Before the reports of the single eyes in lists.
_SERIES_NUMBER: Final = 24200


class BothEyesSr:
    """The machine-readable summary of a study."""

    kind: Final = ReportKind.STRUCTURED_REPORT

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
        heading = Heading(
            series_instance_uid=summary_uid("series", self.kind, both),
            sop_instance_uid=summary_uid("instance", self.kind, both),
            series_number=_SERIES_NUMBER,
            instance_number=both.version,
            description=description_of(both),
            moment=settled_moment(both, headers[0], equipment),
            contributors=contributors(both, equipment),
            predecessors=[report for report in predecessors if report.kind == self.kind],
        )
        rests_on = [version_of(report) for report in kept if report.kind == self.kind]
        content = _content(both, headers, equipment)
        document = build_document(
            Comprehensive3DSR, content, headers, heading, equipment, evidence=rests_on
        )
        correct(document)
        return document


def _content(both: BothEyes, headers: Sequence[Dataset], equipment: Equipment) -> MeasurementReport:
    by_uid = {str(header.SOPInstanceUID): header for header in headers}
    predictions = [eye.prediction for eye in both.eyes]
    images = [image_of(by_uid[p.source.sop_instance_uid]) for p in predictions]
    groups = [
        global_group(eye.prediction, image, equipment, eye.withheld)
        for eye, image in zip(both.eyes, images, strict=True)
    ]
    models = (prediction.model for prediction in predictions)
    return MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=device_observer(equipment, *models)
        ),
        procedure_reported=codes.IMAGING_PROCEDURE,
        imaging_measurements=groups,
        referenced_images=[image for image in images if image is not None] or None,
    )
