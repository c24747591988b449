import pytest

from core.database import Database
from core.settings import Settings
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    return opened
