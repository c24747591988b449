"""C-GET and C-MOVE from us, by DCMTK, by pynetdicom and by Orthanc."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from core.database import Database
from core.settings import Settings
from dicom_node.peers import add_peer
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import encode_instance
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.storescp import STORESCP, running_storescp

LARGE = 5_000_000


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def keep(
    node: Node, study: str = "1.2.3.1", series: int = 1, number: int = 1, **more: Any
) -> bytes:
    """Keep an instance; return its encoded data set."""
    encoded = encode_instance(
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.{series}",
        SOPInstanceUID=f"{study}.{series}.{number}",
        **more,
    )
    ingest(node.archive, encoded)
    return encoded.data_set


def keep_study(node: Node) -> dict[str, str]:
    """Keep four instances of two series; return their digests by UID."""
    kept = {
        "1.2.3.1.1.1": keep(node),
        "1.2.3.1.1.2": keep(node, number=2, PixelData=bytes(LARGE)),
        "1.2.3.1.2.1": keep(node, series=2),
        "1.2.3.1.2.2": keep(node, series=2, number=2),
    }
    keep(node, study="1.2.3.2")
    return {uid: sha256(content).hexdigest() for uid, content in kept.items()}


def digests(files: Sequence[Path]) -> dict[str, str]:
    found = {}
    for path in files:
        content = path.read_bytes()
        header = dcmread(path, stop_before_pixels=True)
        start = 144 + header.file_meta.FileMetaInformationGroupLength
        found[str(header.SOPInstanceUID)] = sha256(content[start:]).hexdigest()
    return found


def dcmtk(program: str, node: Node, *arguments: str) -> str:
    done = subprocess.run(
        [program, "-v", *node.dcmtk, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def keys(**values: str) -> list[str]:
    return [word for name, value in values.items() for word in ("-k", f"{name}={value}")]


STUDY = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.3.1"}
SERIES = {**STUDY, "QueryRetrieveLevel": "SERIES", "SeriesInstanceUID": "1.2.3.1.2"}
IMAGE = {**SERIES, "QueryRetrieveLevel": "IMAGE", "SOPInstanceUID": "1.2.3.1.2.1\\1.2.3.1.2.2"}
PATIENT = {"QueryRetrieveLevel": "PATIENT", "PatientID": "P1"}


def test_getscu_gets_every_level_byte_for_byte(
    node: Node, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("getscu")
    kept = keep_study(node)

    for name, level, expected in (("study", STUDY, 4), ("series", SERIES, 2), ("image", IMAGE, 2)):
        folder = tmp_path / name
        folder.mkdir()
        said = dcmtk("getscu", node, "-S", *keys(**level), "-od", str(folder), "+B")
        found = digests(list(folder.iterdir()))
        assert len(found) == expected, said
        assert found.items() <= kept.items()
    folder = tmp_path / "patient"
    folder.mkdir()
    dcmtk("getscu", node, "-P", *keys(**PATIENT), "-od", str(folder), "+B")
    assert len(list(folder.iterdir())) == 5


def test_movescu_sends_to_a_peer_byte_for_byte(
    node: Node, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("movescu")
    kept = keep_study(node)

    with running_storescp(tmp_path, options=["+B"]) as destination:
        add(node, STORESCP, destination.port)
        said = dcmtk("movescu", node, "-S", "-aem", STORESCP, *keys(**STUDY))
        assert digests(destination.files) == kept, said
        assert "Move Originator" in destination.log.read_text()


def add(node: Node, ae_title: str, port: int) -> None:
    with node.database.transaction() as session:
        add_peer(session, ae_title, "127.0.0.1", port)
