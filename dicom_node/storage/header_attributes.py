"""What a header says of patient, study and series beyond who they are, as columns of their rows."""

from typing import Any

from dicom_node.storage.header import Header


def patient_attributes(header: Header) -> dict[str, Any]:
    """Return the columns of a patient's row that its Patient ID does not decide."""
    return {
        "name": header.texts["PatientName"],
        "birth_date": header.day("PatientBirthDate"),
        "sex": header.texts["PatientSex"] or None,
    }


def study_attributes(header: Header) -> dict[str, Any]:
    """Return the columns of a study's row that its UID does not decide."""
    return {
        "study_id": header.texts["StudyID"],
        "accession_number": header.texts["AccessionNumber"],
        "study_date": header.day("StudyDate"),
        "study_time": header.texts["StudyTime"],
        "study_description": header.texts["StudyDescription"],
        "referring_physician_name": header.texts["ReferringPhysicianName"],
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
    }
