"""Studies for viewers to open: the volume over a disc with everything we add to it, and others.

viewed = keep_viewed_study(archive)     the sample study `disc_grids` with its reports
keep_sample(archive, "compressed")      the files of another sample study
"""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread

from core import ledger
from core.predictions import record_prediction
from core.tables.jobs import JobKind
from core.values.identity import InstanceIdentity, PatientIdentity
from dicom_node.delivery.reporting import ReportStep
from dicom_node.storage.archive import Archive
from reports.equipment import Equipment
from reports.register import formats_with
from tests.builders.prediction import Loss, build_prediction
from tests.builders.received import receive

_SAMPLES: Final = Path(__file__).parents[2] / "sample_dicom"
_PREVIEW: Final = "previews/ab/viewed.png"


@dataclass(frozen=True)
class ViewedStudy:
    """The study of a right eye's disc volume, and what was reported of it."""

    volume: Dataset
    localizer: Dataset

    @property
    def uid(self) -> str:
        return str(self.volume.StudyInstanceUID)


def keep_viewed_study(archive: Archive) -> ViewedStudy:
    """Take the study in, record an estimate of its volume and write every report of it."""
    kept = keep_sample(archive, "disc_grids")
    key, volume = kept["right_volume.dcm"]
    source = InstanceIdentity(
        str(volume.StudyInstanceUID),
        str(volume.SeriesInstanceUID),
        str(volume.SOPInstanceUID),
        str(volume.AccessionNumber),
    )
    patient = PatientIdentity(str(volume.PatientID), None, str(volume.PatientName), None, "F")
    prediction = replace(build_prediction(loss=Loss.ARCUATE), patient=patient, source=source)
    archive.storage.put(_PREVIEW, _preview())
    with archive.database.transaction() as session:
        record_prediction(session, prediction, key, _PREVIEW)
        ledger.enqueue(session, JobKind.REPORT, prediction.prediction_id)
    with archive.database.transaction() as session:
        claims = ledger.claim(session, JobKind.REPORT, "worker", 1, 60)
    equipment = Equipment("1.2.3", "node-1")
    ReportStep(archive.database, archive.storage, equipment, formats_with(text=True)).run(claims)
    return ViewedStudy(volume, kept["right_localizer_op.dcm"][1])


def keep_sample(archive: Archive, folder: str) -> dict[str, tuple[int, Dataset]]:
    """Take a sample study in; return per file the primary key of its instance and its data set."""
    kept = {}
    for path in sorted((_SAMPLES / folder).glob("*.dcm")):
        read = dcmread(path)
        # Without its preamble, which the archive writes itself.
        dataset = Dataset(read)
        dataset.file_meta = read.file_meta
        kept[path.name] = receive(archive, dataset), read
    return kept


def _preview() -> bytes:
    picture = BytesIO()
    Image.fromarray(np.full((496, 768), 90, np.uint8)).save(picture, "PNG")
    return picture.getvalue()
