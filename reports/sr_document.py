"""What every structured document of ours has around its content tree."""

from collections.abc import Sequence
from dataclasses import dataclass

from highdicom import ContributingEquipment
from highdicom.sr import (
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    ObserverContext,
)
from pydicom import Dataset
from pydicom.sequence import Sequence as DataElementSequence
from pydicom.sr.codedict import codes as standard
from pydicom.uid import UID, ExplicitVRLittleEndian

from core.values.prediction import ModelIdentity
from core.values.report_context import KeptReport
from reports import codes
from reports.equipment import Equipment, device_uid
from reports.heading import Moment, stamp
from reports.request import referenced_requests
from reports.source import copy_identity, reference_of

DocumentClass = type[Comprehensive3DSR] | type[EnhancedSR]


@dataclass(frozen=True)
class Heading:
    """What tells one document from another.

    Attributes
    ----------
    instance_number
        1, or the version where there are several.
    contributors
        The models at work, as equipment.
    predecessors
        The documents it replaces.
    """

    series_instance_uid: UID
    sop_instance_uid: UID
    series_number: int
    description: str
    moment: Moment
    contributors: Sequence[ContributingEquipment]
    predecessors: Sequence[KeptReport] = ()
    instance_number: int = 1


def build_document(
    document_class: DocumentClass,
    content: Dataset | DataElementSequence,
    headers: Sequence[Dataset],
    heading: Heading,
    equipment: Equipment,
    evidence: Sequence[Dataset] = (),
) -> Dataset:
    """Return the document as highdicom builds it, in the study of the first header.

    Parameters
    ----------
    headers
        Cleaned headers of everything that was read, as `read_sources` returns them.
    evidence
        References to further documents it rests on.
    """
    document = document_class(
        evidence=[*(reference_of(header) for header in headers), *evidence],
        content=content,
        series_instance_uid=heading.series_instance_uid,
        series_number=heading.series_number,
        sop_instance_uid=heading.sop_instance_uid,
        instance_number=heading.instance_number,
        manufacturer=equipment.manufacturer,
        requested_procedures=referenced_requests(headers[0]),
        previous_versions=[version_of(kept) for kept in heading.predecessors] or None,
        contributing_equipment=list(heading.contributors),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
        coding_schemes=[codes.coding_scheme()],
        series_description=heading.description,
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.device_serial,
        content_date=heading.moment.date,
        content_time=heading.moment.time,
        # An estimate is preliminary until a clinician says otherwise.
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    copy_identity(headers[0], document)
    stamp(document, heading.moment)
    return document


def device_observer(equipment: Equipment, *models: ModelIdentity) -> ObserverContext:
    """Return the service with these models as the one that observed."""
    return ObserverContext(
        observer_type=standard.cid270.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=device_uid(*models),
            name=equipment.model_name,
            manufacturer_name=equipment.manufacturer,
            model_name=equipment.model_name,
            serial_number=equipment.device_serial,
        ),
    )


def version_of(kept: KeptReport) -> Dataset:
    """Return a kept report as the library reads references."""
    version = Dataset()
    version.StudyInstanceUID = kept.study_instance_uid
    version.SeriesInstanceUID = kept.series_instance_uid
    version.SOPClassUID = kept.sop_class_uid
    version.SOPInstanceUID = kept.sop_instance_uid
    return version
