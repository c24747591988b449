"""The header of a circle scan, as the sources of a report carry it: made up, without pixels."""

from typing import Any

from pydicom import Dataset
from pydicom.uid import OphthalmicPhotography8BitImageStorage, OphthalmicTomographyImageStorage

from core.values.prediction import Prediction


def build_photograph_source(prediction: Prediction, **changes: Any) -> Dataset:
    """Return the header of a photograph of the fundus."""
    of_photograph = {"SOPClassUID": OphthalmicPhotography8BitImageStorage, "Modality": "OP"}
    return build_source(prediction, **{**of_photograph, "Rows": 1400, "Columns": 1900, **changes})


def build_source(prediction: Prediction, **changes: Any) -> Dataset:
    """Return the header of the instance a prediction was made from; None removes an attribute."""
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.SOPClassUID = OphthalmicTomographyImageStorage
    header.SOPInstanceUID = prediction.source.sop_instance_uid
    header.SeriesInstanceUID = prediction.source.series_instance_uid
    header.StudyInstanceUID = prediction.source.study_instance_uid
    header.AccessionNumber = prediction.source.accession_number
    header.PatientID = prediction.patient.patient_id
    header.IssuerOfPatientID = prediction.patient.issuer
    header.PatientName = prediction.patient.name
    header.PatientBirthDate = "19580301"
    header.PatientSex = "F"
    header.StudyID = "1"
    header.StudyDate = "20110115"
    header.StudyTime = "101500"
    header.ReferringPhysicianName = ""
    header.Modality = "OPT"
    header.Manufacturer = "Maker"
    header.ManufacturerModelName = "Scanner"
    header.ImageLaterality = prediction.laterality
    header.Rows = 496
    header.Columns = 768
    for keyword, value in changes.items():
        if value is None:
            delattr(header, keyword)
        else:
            setattr(header, keyword, value)
    return header
