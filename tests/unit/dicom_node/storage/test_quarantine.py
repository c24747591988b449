from datetime import UTC, datetime

import pytest

from core.database import Database
from core.quarantine import dismiss_aside, find_aside
from core.settings import Settings
from dicom_node.errors import InstanceRefused
from dicom_node.storage.archive import Archive
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import encode_instance
from tests.builders.received import open_test_archive

_AT = datetime(2026, 3, 4, 9, tzinfo=UTC)


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


def _refuse(archive: Archive) -> None:
    with pytest.raises(InstanceRefused):
        ingest(archive, encode_instance(PatientID=""))


def test_dismissed_object_that_comes_again_is_shown_again(
    archive: Archive, database: Database
) -> None:
    _refuse(archive)
    with database.transaction() as session:
        dismiss_aside(session, 1, "anna", _AT)

    _refuse(archive)

    with database.reading() as session:
        row = find_aside(session, 1)
    assert (row.dismissed_at, row.dismissed_by) == (None, None)
