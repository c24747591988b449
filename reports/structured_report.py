"""A prediction as Comprehensive 3D SR with the measurement report of TID 1500."""

from collections.abc import Sequence
from typing import Final

from highdicom import ContributingEquipment
from highdicom.sr import (
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes as standard
from pydicom.uid import ExplicitVRLittleEndian

from core.values.prediction import Prediction
from core.values.report_context import NO_CONTEXT, KeptReport, ReportContext
from reports import codes
from reports.corrections import correct
from reports.equipment import Equipment, device_uid
from reports.heading import (
    contributing_equipment,
    moment_of,
    series_description,
    stamp,
)
from reports.identifiers import series_instance_uid, sop_instance_uid
from reports.measurement_groups import measurement_groups
from reports.outcome import outcome_of
from reports.report import ReportKind
from reports.request import referenced_requests
from reports.source import copy_identity, image_of, read_sources, reference_of

#: Far from the numbers a device gives, so that lists show the report after the scans.
_SERIES_NUMBER: Final = 24201
_KIND: Final = ReportKind.STRUCTURED_REPORT


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
    moment = moment_of(prediction, headers[0], equipment)
    document = Comprehensive3DSR(
        evidence=[reference_of(header) for header in headers],
        content=_content(prediction, headers[0], equipment),
        series_instance_uid=series_instance_uid(prediction.prediction_id, _KIND),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=sop_instance_uid(prediction.prediction_id, _KIND),
        instance_number=1,
        manufacturer=equipment.manufacturer,
        is_complete=True,
        is_final=False,
        is_verified=False,
        requested_procedures=referenced_requests(headers[0]),
        previous_versions=previous_versions(context.predecessors_of_kind(_KIND)),
        contributing_equipment=[_model_as_equipment(prediction, equipment)],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
        coding_schemes=[codes.coding_scheme()],
        series_description=series_description(prediction),
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.device_serial,
        content_date=moment.date,
        content_time=moment.time,
    )
    copy_identity(headers[0], document)
    stamp(document, moment)
    finding = codes.finding_of(outcome, is_of_photograph=prediction.is_of_photograph)
    document.SeriesDescriptionCodeSequence = [finding]
    return document


def _content(prediction: Prediction, header: Dataset, equipment: Equipment) -> MeasurementReport:
    image = image_of(header)
    return MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=_device_observer(prediction, equipment)
        ),
        procedure_reported=codes.IMAGING_PROCEDURE,
        imaging_measurements=measurement_groups(prediction, image, equipment),
        referenced_images=[image] if image else None,
    )


def _model_as_equipment(prediction: Prediction, equipment: Equipment) -> ContributingEquipment:
    item = contributing_equipment(prediction, equipment)
    item.DeviceUID = device_uid(prediction.model)
    return item


def _device_observer(prediction: Prediction, equipment: Equipment) -> ObserverContext:
    return ObserverContext(
        observer_type=standard.cid270.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=device_uid(prediction.model),
            name=equipment.model_name,
            manufacturer_name=equipment.manufacturer,
            model_name=equipment.model_name,
            serial_number=equipment.device_serial,
        ),
    )


def previous_versions(predecessors: Sequence[KeptReport]) -> list[Dataset] | None:
    """Return the documents that a report replaces, as the library reads them; None for none."""
    return [_version(kept) for kept in predecessors] or None


def _version(kept: KeptReport) -> Dataset:
    version = Dataset()
    version.StudyInstanceUID = kept.study_instance_uid
    version.SeriesInstanceUID = kept.series_instance_uid
    version.SOPClassUID = kept.sop_class_uid
    version.SOPInstanceUID = kept.sop_instance_uid
    return version
