"""A stored scan on its way to a model: read, measured, its pictures kept, its pixels let go."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.database import Database
from core.values.fundus_place import FundusPlace
from core.values.reason import ReasonCode
from dicom_node.storage.bytes import Storage
from inference.examination import AgeLimits, Examination, examine, kind_of, unread
from inference.kept_fundus import fundus_of
from inference.preview import NO_PICTURES, KeptPictures, keep_pictures
from inference.stored_scan import StoredScan, read_stored_scan
from inference.subject import Subject, load_subject

#: With these a good object is simply not for a model, and makes no prediction.
NO_PREDICTION: Final = (ReasonCode.NOT_MODEL_INPUT,)


@dataclass(frozen=True)
class PreparedScan:
    """What is left to do is to judge and to predict.

    It is small: processes hand it over.

    Attributes
    ----------
    examination
        Without pixels.
    pictures
        Where they are kept.
    fundus
        Where the scan lies on the picture of the fundus; None without one.
    """

    subject: Subject
    examination: Examination
    pictures: KeptPictures = NO_PICTURES
    fundus: FundusPlace | None = None


def prepare_stored(
    instance_key: int,
    database: Database,
    storage: Storage,
    age_limits_years: AgeLimits,
    now: datetime,
) -> PreparedScan:
    """Read and measure a stored instance, and keep the pictures of it that people see.

    Parameters
    ----------
    age_limits_years
        Of the models that score, by their kind; an instance for no model is left unread.

    Raises
    ------
    LocalizerAwaited
        If the localizer of a scan, or the scan of a photograph, may follow and is not here yet.
    RecordNotFound
        If it is not kept any more.
    """
    with database.reading() as session:
        subject = load_subject(session, instance_key)
    kind = kind_of(subject.sop_class_uid)
    if kind not in age_limits_years:
        return PreparedScan(subject, unread(subject.device, kind))
    stored = read_stored_scan(subject, database, storage, now)
    examination = examine(stored, age_limits_years)
    if any(reason.code in NO_PREDICTION for reason in examination.reasons):
        return PreparedScan(subject, examination.without_pixels())
    return _with_pictures(subject, stored, examination, storage)


def _with_pictures(
    subject: Subject, stored: StoredScan, examination: Examination, storage: Storage
) -> PreparedScan:
    fundus = fundus_of(stored, examination)
    pictures = keep_pictures(
        storage, examination.picture, None if fundus is None else fundus.pixels
    )
    place = None if fundus is None else fundus.place
    return PreparedScan(subject, examination.without_pixels(), pictures, place)
