"""A prediction as Comprehensive 3D SR by TID 1500; the tree and its codes: docs/reports.md."""

from collections.abc import Sequence
from typing import Final

from highdicom import ContributingEquipment
from highdicom.sr import Comprehensive3DSR, MeasurementReport, ObservationContext
from pydicom import Dataset

from core.values.prediction import Prediction
from core.values.report_context import NO_CONTEXT, ReportContext
from reports import codes
from reports.corrections import correct
from reports.equipment import Equipment, device_uid
from reports.heading import contributing_equipment, moment_of, series_description
from reports.identifiers import series_instance_uid, sop_instance_uid
from reports.measurement_groups import global_group, point_groups
from reports.outcome import outcome_of
from reports.report import ReportKind
from reports.source import image_of, read_sources
from reports.sr_document import Heading, build_document, device_observer

#: Far from the numbers a device gives, so that lists show the report after the scans.
_SERIES_NUMBER: Final = 24201
_KIND: Final = ReportKind.STRUCTURED_REPORT
_IMAGING_MEASUREMENTS: Final = "126010"


class StructuredReport:
    """The machine-readable record: every estimate, coded, with its interval and its origin."""

    kind: Final = _KIND

    def build(
        self,
        prediction: Prediction,
        sources: Sequence[Dataset],
        equipment: Equipment,
        context: ReportContext = NO_CONTEXT,
    ) -> Dataset:
        """Return the report; see `ReportFormat.build`."""
        document = build_uncorrected(prediction, sources, equipment, context)
        correct(document)
        return document


def build_uncorrected(
    prediction: Prediction,
    sources: Sequence[Dataset],
    equipment: Equipment,
    context: ReportContext = NO_CONTEXT,
) -> Dataset:
    """Return the report as highdicom builds it, with its known defects."""
    outcome = outcome_of(prediction)
    headers = read_sources(prediction, sources)
    heading = heading_of(prediction, headers[0], equipment, context, _KIND, _SERIES_NUMBER)
    content = _content(prediction, headers[0], equipment)
    document = build_document(Comprehensive3DSR, content, headers, heading, equipment)
    finding = codes.finding_of(outcome, is_of_photograph=prediction.is_of_photograph)
    document.SeriesDescriptionCodeSequence = [finding]
    _add_points(document, prediction)
    return document


def heading_of(
    prediction: Prediction,
    header: Dataset,
    equipment: Equipment,
    context: ReportContext,
    kind: ReportKind,
    series_number: int,
) -> Heading:
    """Return what tells this report of a prediction from others."""
    return Heading(
        series_instance_uid=series_instance_uid(prediction.prediction_id, kind),
        sop_instance_uid=sop_instance_uid(prediction.prediction_id, kind),
        series_number=series_number,
        description=series_description(prediction),
        moment=moment_of(prediction, header, equipment),
        contributors=[model_as_equipment(prediction, equipment)],
        predecessors=context.predecessors_of_kind(kind),
    )


def model_as_equipment(prediction: Prediction, equipment: Equipment) -> ContributingEquipment:
    """Return the service with the model of a prediction, by the UID it has with these weights."""
    item = contributing_equipment(prediction, equipment)
    item.DeviceUID = device_uid(prediction.model)
    return item


def _content(prediction: Prediction, header: Dataset, equipment: Equipment) -> MeasurementReport:
    image = image_of(header)
    return MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=device_observer(equipment, prediction.model)
        ),
        procedure_reported=codes.IMAGING_PROCEDURE,
        imaging_measurements=[global_group(prediction, image, equipment)],
        referenced_images=[image] if image else None,
    )


def _add_points(document: Dataset, prediction: Prediction) -> None:
    """Put the groups of the points behind that of the whole field.

    Into the finished document: highdicom copies and searches all content it is given, which took
    most of the time, for groups that refer to nothing.
    """
    [measurements] = [
        item
        for item in document.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == _IMAGING_MEASUREMENTS
    ]
    for group in point_groups(prediction):
        measurements.ContentSequence.extend(group)
