"""What a report is made from, read from record and storage: the prediction and its headers."""

from dataclasses import replace

from pydicom import Dataset
from sqlmodel import Session

from core.predictions import load_prediction, picture_key
from core.values.prediction import Prediction
from dicom_node.delivery.corrected_headers import correct_identity
from dicom_node.devices.reading import read_localizer_reference
from dicom_node.storage.bytes import Storage
from dicom_node.storage.instances import find_instance
from dicom_node.storage.pictures import read_picture
from dicom_node.storage.retrieve import read_dataset, referenced_localizer


def load_with_picture(session: Session, storage: Storage, prediction_id: str) -> Prediction:
    """Return a prediction with the picture of its scan, where one is kept.

    Raises
    ------
    RecordNotFound
        If there is no such prediction.
    """
    prediction = load_prediction(session, prediction_id)
    picture = read_picture(storage, picture_key(session, prediction_id))
    return replace(prediction, picture=picture)


def read_headers(session: Session, storage: Storage, prediction: Prediction) -> list[Dataset]:
    """Return the headers of the scan a prediction was made from and of its localizer, if kept.

    They name the patient their study is of today.

    Raises
    ------
    RecordNotFound
        If the scan is not kept.
    """
    scan_uid = prediction.source.sop_instance_uid
    scan = _read(session, storage, scan_uid)
    reference, row = read_localizer_reference(scan), find_instance(session, scan_uid)
    if reference is None or row is None:
        return [scan]
    kept = referenced_localizer(session, row, reference)
    if kept is None:
        return [scan]
    return [scan, _read(session, storage, kept.sop_instance_uid)]


def _read(session: Session, storage: Storage, sop_instance_uid: str) -> Dataset:
    header = read_dataset(session, storage, sop_instance_uid, pixels=False)
    return correct_identity(session, header)
