"""What a header says of patient, study and series beyond who they are, as columns of their rows."""

from typing import Any, Final

from core.values.person_name import FoldedName
from dicom_node.storage.header import Header

#: Code Sequence Macro (PS3.3 table 8.8-1).
_CODE: Final = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
#: What an INTEGER column of either database takes.
_LONGEST_NUMBER: Final = 9


def patient_attributes(header: Header) -> dict[str, Any]:
    """Return the columns of a patient's row that its Patient ID does not decide."""
    folded = FoldedName.of(header.texts["PatientName"])
    return {
        "name": header.texts["PatientName"],
        "name_alphabetic": folded.alphabetic,
        "name_ideographic": folded.ideographic,
        "name_phonetic": folded.phonetic,
        "birth_date": header.day("PatientBirthDate"),
        "sex": header.texts["PatientSex"] or None,
    }


def study_attributes(header: Header) -> dict[str, Any]:
    """Return the columns of a study's row that its UID does not decide."""
    return {
        "study_id": header.texts["StudyID"],
        "accession_number": header.texts["AccessionNumber"],
        "study_date": header.day("StudyDate"),
        "study_time": _time(header, "StudyTime"),
        "study_description": header.texts["StudyDescription"],
        "referring_physician_name": header.texts["ReferringPhysicianName"],
        "referring_physician_folded": FoldedName.of(header.texts["ReferringPhysicianName"]).main,
    }


def series_attributes(header: Header) -> dict[str, Any]:
    """Return the columns of a series' row that its UID does not decide."""
    return {
        "modality": header.texts["Modality"],
        "series_number": header.texts["SeriesNumber"],
        "series_description": header.texts["SeriesDescription"],
        "laterality": header.texts["Laterality"],
        "manufacturer": header.texts["Manufacturer"],
        "manufacturer_model_name": header.texts["ManufacturerModelName"],
        "device_serial_number": header.texts["DeviceSerialNumber"],
        "series_date": header.day("SeriesDate"),
        "series_time": _time(header, "SeriesTime"),
        "step_start_date": header.day("PerformedProcedureStepStartDate"),
        "step_start_time": _time(header, "PerformedProcedureStepStartTime"),
        "scheduled_procedure_step_ids": "\\".join(header.items["ScheduledProcedureStepID"]),
        "requested_procedure_ids": "\\".join(header.items["RequestedProcedureID"]),
    }


def instance_attributes(header: Header) -> dict[str, Any]:
    """Return the columns of an instance's row that are there to be searched for."""
    title = [header.items[keyword][:1] for keyword in _CODE]
    return {
        "number_of_frames": _integer(header.texts["NumberOfFrames"]),
        "pixel_rows": header.numbers["Rows"],
        "pixel_columns": header.numbers["Columns"],
        "content_date": header.day("ContentDate"),
        "content_time": _time(header, "ContentTime"),
        "completion_flag": header.texts["CompletionFlag"],
        "verification_flag": header.texts["VerificationFlag"],
        "concept_name": "\\".join(part[0] for part in title) if all(title) else "",
    }


def _time(header: Header, keyword: str) -> str:
    # ACR-NEMA wrote colons (PS3.5 6.2, TM); without them times are in order as texts.
    return header.texts[keyword].replace(":", "")


def _integer(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number else None
