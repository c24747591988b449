"""What every ophthalmic image of the samples says, whatever it shows."""

from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import UID, ExplicitVRLittleEndian

from core.values.laterality import Laterality
from sample_dicom.study import Study, uid

MANUFACTURER: Final = "Arcuate synthetic"
MODEL: Final = "Circle simulator"
STUDY_DESCRIPTION: Final = "SYNTHETIC OCT"
IMAGE_COMMENTS: Final = "SYNTHETIC: drawn by a simulator, shows nobody's eye"

EYE: Final = Code("81745001", "SCT", "Eye")
LOCALIZER: Final = Code("121311", "DCM", "Localizer")


def coded(code: Code) -> Dataset:
    """Return a code as a sequence item."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def ophthalmic_image(
    study: Study, laterality: Laterality, sop_class_uid: UID, sop_instance_uid: str
) -> Dataset:
    """Return a data set with patient, study, equipment and eye, without any picture."""
    dataset = Dataset()
    dataset.file_meta = _file_meta(sop_class_uid, sop_instance_uid)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = sop_instance_uid
    _name_patient(dataset, study)
    _name_study(dataset, study)
    _name_device(dataset, study)
    dataset.ImageLaterality = laterality.value
    dataset.ImageComments = IMAGE_COMMENTS
    dataset.AnatomicRegionSequence = Sequence([coded(EYE)])
    dataset.AcquisitionContextSequence = Sequence()
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PresentationLUTShape = "IDENTITY"
    return dataset


def _file_meta(sop_class_uid: UID, sop_instance_uid: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class_uid
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid("implementation"))
    meta.ImplementationVersionName = "ARCUATE_SAMPLE"
    return meta


def _name_patient(dataset: Dataset, study: Study) -> None:
    patient = study.patient
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    dataset.PatientSex = patient.sex
    if study.age_text:
        dataset.PatientAge = study.age_text


def _name_study(dataset: Dataset, study: Study) -> None:
    dataset.StudyInstanceUID = study.uid()
    dataset.StudyID = "1"
    dataset.StudyDescription = STUDY_DESCRIPTION
    dataset.AccessionNumber = study.accession_number
    dataset.ReferringPhysicianName = ""
    dataset.StudyDate = dataset.ContentDate = study.acquired_at.strftime("%Y%m%d")
    dataset.StudyTime = dataset.ContentTime = study.acquired_at.strftime("%H%M%S")
    dataset.AcquisitionDateTime = study.acquired_at.strftime("%Y%m%d%H%M%S")
    dataset.InstanceNumber = 1


def _name_device(dataset: Dataset, study: Study) -> None:
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL
    dataset.DeviceSerialNumber = "SYNTHETIC-1"
    dataset.SoftwareVersions = "1.0"
    dataset.SynchronizationTrigger = "NO TRIGGER"
    dataset.AcquisitionTimeSynchronized = "N"
    dataset.SynchronizationFrameOfReferenceUID = study.uid("synchronization")
    dataset.DetectorType = "CCD"
    dataset.EmmetropicMagnification = None
    dataset.IntraOcularPressure = None
    dataset.HorizontalFieldOfView = 30.0
    dataset.PupilDilated = "NO"
    dataset.RefractiveStateSequence = Sequence()
    dataset.LightPathFilterTypeStackCodeSequence = Sequence()
