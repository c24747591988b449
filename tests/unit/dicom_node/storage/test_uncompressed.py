"""The process that decodes: asked, killed in its work, and asked again."""

import pytest
from pydicom.uid import ImplicitVRLittleEndian, JPEG2000Lossless

from core.database import Database
from core.settings import Settings
from dicom_node.errors import PixelsUnreadable
from dicom_node.storage.archive import open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from dicom_node.storage.selection import Selected, Selection
from dicom_node.storage.uncompressed import DecodingProcess, Uncompressing
from tests.builders.frames import frames_instance, grey_frames

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage)


@pytest.fixture
def selected(settings: Settings, database: Database, storage: Storage) -> Selected:
    archive = open_archive(settings, database, storage)
    archive.prepare()
    ingest(archive, frames_instance(JPEG2000Lossless, bits=16))
    [found] = Selection(sop_instance_uids=("1.2.3.1.1.1",)).instances(database)
    return found


def test_a_frame_is_decoded(storage: Storage, selected: Selected) -> None:
    frame = Uncompressing(1 << 30).frame(storage, selected, 3)

    assert (frame == grey_frames(4, 16)[2]).all()


def test_a_process_that_died_is_started_anew(storage: Storage, selected: Selected) -> None:
    uncompressing = Uncompressing(1 << 30)
    uncompressing.frame(storage, selected, 1)
    process = uncompressing._idle.queue[-1]._process
    assert process is not None
    process.kill()
    process.wait()

    assert uncompressing.frame(storage, selected, 1).shape == (32, 48)


def test_what_takes_too_long_is_ended_and_told(storage: Storage, selected: Selected) -> None:
    process = DecodingProcess()

    with pytest.raises(PixelsUnreadable, match="did not survive"):
        process.ask({}, patience_seconds=0.0)


def test_what_cannot_be_done_is_told_and_the_process_lives(
    storage: Storage, selected: Selected
) -> None:
    uncompressing = Uncompressing(1 << 30)

    with (
        pytest.raises(PixelsUnreadable, match="neither the object's encoding"),
        uncompressing.open_as(storage, selected, [JPEG2000Lossless]),
    ):
        pass
    with pytest.raises(PixelsUnreadable):
        uncompressing.frame(storage, selected, 99)
    process = uncompressing._idle.queue[-1]._process
    converted = uncompressing.convert(storage, selected, ImplicitVRLittleEndian)

    assert len(b"".join(converted.chunks())) == converted.length
    assert uncompressing._idle.queue[-1]._process is process
