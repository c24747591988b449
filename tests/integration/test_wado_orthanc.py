"""Orthanc's DICOMweb client, which we did not write, searches and retrieves from us."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless

from core.database import Database
from core.keys import create_key
from core.settings import Settings
from dicom_node.peers import PeerAddress
from dicom_node.storage.archive import open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from tests.builders.frames import document_instance, frames_instance
from tests.conftest import miss
from tests.fixtures.http_server import http_server
from tests.fixtures.orthanc import DICOMWEB_PLUGIN, running_orthanc

PLAIN, COMPRESSED, DOCUMENT = (f"1.2.3.1.1.{number}" for number in (1, 2, 3))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_orthanc_retrieves_a_study_over_the_web(
    settings: Settings, database: Database, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("Orthanc")
    if not DICOMWEB_PLUGIN.exists():
        miss("Orthanc's DICOMweb plug-in (Debian package orthanc-dicomweb)")
    locked = settings.model_copy(update={"auth": "keys"})
    archive = open_archive(locked, database, Storage(locked.storage))
    archive.prepare()
    plain = frames_instance(SOPInstanceUID=PLAIN)
    for encoded in (
        plain,
        frames_instance(JPEGLSLossless, SOPInstanceUID=COMPRESSED),
        document_instance(b"%PDF-1.7", SOPInstanceUID=DOCUMENT),
    ):
        ingest(archive, encoded)
    with database.transaction() as session:
        key = create_key(session, "orthanc")
    nobody = PeerAddress("NOBODY", "127.0.0.1", 9)

    with (
        http_server(locked, database, archive.storage) as url,
        running_orthanc(tmp_path / "orthanc", nobody, plugins=(DICOMWEB_PLUGIN,)) as orthanc,
    ):
        server = {"Url": f"{url}/dicom-web/", "HttpHeaders": {"X-API-Key": key}}
        orthanc.client.put("/dicom-web/servers/node", json=server).raise_for_status()
        found = orthanc.post("/dicom-web/servers/node/get", Uri="/studies")
        orthanc.post(
            "/dicom-web/servers/node/retrieve",
            Resources=[{"Study": "1.2.3.1"}],
            Synchronous=True,
        )
        instances = orthanc.get("/instances?expand")
        files = {
            one["MainDicomTags"]["SOPInstanceUID"]: orthanc.client.get(
                f"/instances/{one['ID']}/file"
            ).content
            for one in instances
        }

    assert [study["0020000D"]["Value"] for study in found] == [["1.2.3.1"]]
    assert set(files) == {PLAIN, COMPRESSED, DOCUMENT}
    assert files[PLAIN].endswith(plain.data_set)
    assert dcmread(BytesIO(files[COMPRESSED])).NumberOfFrames == 4
