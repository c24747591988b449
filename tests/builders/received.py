"""Objects taken in through the archive's own door, as an association would bring them.

archive = open_test_archive(settings, database)
key = receive(archive, build_circle_opt())            primary key of the kept instance
receive(archive, build_localizer(), at=earlier)       at another time
"""

from datetime import datetime

from pydicom.dataset import Dataset

from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import encode_dataset


def open_test_archive(settings: Settings, database: Database) -> Archive:
    """Return an archive ready to take objects in."""
    archive = open_archive(settings, database, Storage(settings.storage))
    # Rows may stand in the record already whose bytes no test needs.
    archive.storage.prepare()
    archive.prepare()
    return archive


def receive(archive: Archive, dataset: Dataset, at: datetime | None = None) -> int:
    """Take an object in and return the primary key of its instance."""
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    encoded = EncodedInstance(
        data_set=encode_dataset(dataset, syntax),
        transfer_syntax_uid=syntax,
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        calling_ae_title="DEVICE1",
    )
    return ingest(archive, encoded, clock=lambda: at or utc_now()).instance_key
