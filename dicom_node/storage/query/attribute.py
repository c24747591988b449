"""The attributes that can be asked for and looked for, and where each of them is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydicom.datadict import dictionary_VR, tag_for_keyword
from sqlalchemy import Column

from core.tables.columns import table_of
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.storage.query.level import Level

PATIENTS: Final = table_of(PatientRow)
STUDIES: Final = table_of(StudyRow)
SERIES: Final = table_of(SeriesRow)
INSTANCES: Final = table_of(InstanceRow)


@dataclass(frozen=True, eq=False)
class Attribute:
    """An attribute at its level.

    Attributes
    ----------
    column
        Where its value is kept; None where it is computed from what hangs below, or put together.
    searched
        The columns a person name is looked for in.
    """

    keyword: str
    level: Level
    column: Column[Any] | None = None
    searched: tuple[Column[Any], ...] = ()

    @property
    def tag(self) -> int:
        """Group and element."""
        return tag_for_keyword(self.keyword) or 0

    @property
    def vr(self) -> str:
        """Value representation."""
        return dictionary_VR(self.tag)


_PATIENT: Final = (
    Attribute("PatientID", Level.PATIENT, PATIENTS.c.patient_id),
    Attribute("IssuerOfPatientID", Level.PATIENT, PATIENTS.c.issuer),
    Attribute(
        "PatientName",
        Level.PATIENT,
        PATIENTS.c.name,
        (PATIENTS.c.name_alphabetic, PATIENTS.c.name_ideographic, PATIENTS.c.name_phonetic),
    ),
    Attribute("PatientBirthDate", Level.PATIENT, PATIENTS.c.birth_date),
    Attribute("PatientSex", Level.PATIENT, PATIENTS.c.sex),
    Attribute("NumberOfPatientRelatedStudies", Level.PATIENT),
    Attribute("NumberOfPatientRelatedSeries", Level.PATIENT),
    Attribute("NumberOfPatientRelatedInstances", Level.PATIENT),
)
_STUDY: Final = (
    Attribute("StudyInstanceUID", Level.STUDY, STUDIES.c.study_instance_uid),
    Attribute("StudyDate", Level.STUDY, STUDIES.c.study_date),
    Attribute("StudyTime", Level.STUDY, STUDIES.c.study_time),
    Attribute("AccessionNumber", Level.STUDY, STUDIES.c.accession_number),
    Attribute("StudyID", Level.STUDY, STUDIES.c.study_id),
    Attribute("StudyDescription", Level.STUDY, STUDIES.c.study_description),
    Attribute(
        "ReferringPhysicianName",
        Level.STUDY,
        STUDIES.c.referring_physician_name,
        (STUDIES.c.referring_physician_folded,),
    ),
    Attribute("ModalitiesInStudy", Level.STUDY),
    Attribute("SOPClassesInStudy", Level.STUDY),
    Attribute("NumberOfStudyRelatedSeries", Level.STUDY),
    Attribute("NumberOfStudyRelatedInstances", Level.STUDY),
)
_SERIES: Final = (
    Attribute("SeriesInstanceUID", Level.SERIES, SERIES.c.series_instance_uid),
    Attribute("Modality", Level.SERIES, SERIES.c.modality),
    Attribute("SeriesNumber", Level.SERIES, SERIES.c.series_number),
    Attribute("SeriesDescription", Level.SERIES, SERIES.c.series_description),
    Attribute("SeriesDate", Level.SERIES, SERIES.c.series_date),
    Attribute("SeriesTime", Level.SERIES, SERIES.c.series_time),
    Attribute("Laterality", Level.SERIES, SERIES.c.laterality),
    Attribute("Manufacturer", Level.SERIES, SERIES.c.manufacturer),
    Attribute("ManufacturerModelName", Level.SERIES, SERIES.c.manufacturer_model_name),
    Attribute("DeviceSerialNumber", Level.SERIES, SERIES.c.device_serial_number),
    Attribute("PerformedProcedureStepStartDate", Level.SERIES, SERIES.c.step_start_date),
    Attribute("PerformedProcedureStepStartTime", Level.SERIES, SERIES.c.step_start_time),
    Attribute("RequestAttributesSequence", Level.SERIES),
    Attribute("NumberOfSeriesRelatedInstances", Level.SERIES),
)
_IMAGE: Final = (
    Attribute("SOPInstanceUID", Level.IMAGE, INSTANCES.c.sop_instance_uid),
    Attribute("SOPClassUID", Level.IMAGE, INSTANCES.c.sop_class_uid),
    Attribute("AvailableTransferSyntaxUID", Level.IMAGE, INSTANCES.c.transfer_syntax_uid),
    Attribute("InstanceNumber", Level.IMAGE, INSTANCES.c.instance_number),
    Attribute("NumberOfFrames", Level.IMAGE, INSTANCES.c.number_of_frames),
    Attribute("Rows", Level.IMAGE, INSTANCES.c.pixel_rows),
    Attribute("Columns", Level.IMAGE, INSTANCES.c.pixel_columns),
    Attribute("ContentDate", Level.IMAGE, INSTANCES.c.content_date),
    Attribute("ContentTime", Level.IMAGE, INSTANCES.c.content_time),
    Attribute("CompletionFlag", Level.IMAGE, INSTANCES.c.completion_flag),
    Attribute("VerificationFlag", Level.IMAGE, INSTANCES.c.verification_flag),
    Attribute("ConceptNameCodeSequence", Level.IMAGE),
)

#: Every attribute by keyword, from the patient down.
ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    attribute.keyword: attribute for attribute in (*_PATIENT, *_STUDY, *_SERIES, *_IMAGE)
}
#: The unique key of each level (PS3.4 C.6.1.1, C.6.2.1).
UNIQUE_KEYS: Final[Mapping[Level, str]] = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}
