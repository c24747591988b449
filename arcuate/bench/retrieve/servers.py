"""The servers that are asked, each with the same object in it."""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from arcuate.bench.ingest.server_process import HOST, program, server_process
from arcuate.bench.ports import free_port
from arcuate.node import prepare_node
from arcuate.roles import Role
from core.keys import create_key
from core.settings import ENVIRONMENT_PREFIX, Settings
from dicom_node.storage.archive import open_archive
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance, file_preamble

_PLUG_IN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_WEB: Final = {
    "object": 'multipart/related; type="application/dicom"; transfer-syntax=*',
    "frame": 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
}


@dataclass(frozen=True)
class Door:
    """Where and how a server is asked.

    Attributes
    ----------
    paths
        By what is asked for: `object` or `frame`.
    """

    name: str
    port: int
    paths: Mapping[str, str]
    headers: Mapping[str, Mapping[str, str]]


@contextmanager
def running_arcuate(
    folder: Path, instance: EncodedInstance, path: str
) -> Generator[Sequence[Door]]:
    """Run our web server; yield its door."""
    settings = Settings(home=folder, http_port=free_port(), dicom_port=0)
    node = prepare_node(settings)
    try:
        ingest(open_archive(settings, node.database, node.storage), instance)
        with node.database.transaction() as session:
            key = create_key(session, "measurement")
    finally:
        node.database.close()
    # One client asks as often as it can.
    names = {
        "home": str(folder),
        "http_port": str(settings.http_port),
        "requests_per_minute": "0",
    }
    environment = {f"{ENVIRONMENT_PREFIX}{name.upper()}": text for name, text in names.items()}
    command = [sys.executable, "-m", "arcuate", Role.SERVE]
    headers = {kind: {"Accept": accept, "X-API-Key": key} for kind, accept in _WEB.items()}
    with server_process("arcuate", command, folder, environment) as process:
        process.wait_for_port(settings.http_port)
        yield [Door("arcuate", settings.http_port, _web_paths(path), headers)]


@contextmanager
def running_orthanc(
    folder: Path, instance: EncodedInstance, path: str
) -> Generator[Sequence[Door]]:
    """Run Orthanc; yield its DICOMweb door where that plug-in is installed, and its own."""
    port, kept = free_port(), folder / "kept"
    configuration = folder / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "StorageDirectory": str(kept),
                "IndexDirectory": str(kept),
                "HttpPort": port,
                "DicomServerEnabled": False,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "Plugins": [str(_PLUG_IN)] if _PLUG_IN.exists() else [],
            }
        )
    )
    command = [program("Orthanc", "orthanc"), str(configuration)]
    with server_process("Orthanc", command, folder, {}) as process:
        process.wait_for_port(port)
        file = file_preamble(instance) + instance.data_set
        answer = httpx.post(f"http://{HOST}:{port}/instances", content=file, timeout=120)
        own = f"/instances/{answer.raise_for_status().json()['ID']}"
        paths = {"object": f"{own}/file", "frame": f"{own}/frames/{{frame}}/raw"}
        doors = [Door("Orthanc REST", port, paths, {kind: {} for kind in _WEB})]
        if _PLUG_IN.exists():
            headers = {kind: {"Accept": accept} for kind, accept in _WEB.items()}
            doors.insert(0, Door("Orthanc DICOMweb", port, _web_paths(path), headers))
        yield doors


def check_orthanc() -> None:
    """Raise PeerMissing where Orthanc is not installed."""
    program("Orthanc", "orthanc")


def _web_paths(path: str) -> Mapping[str, str]:
    return {"object": f"/dicom-web{path}", "frame": f"/dicom-web{path}/frames/{{frame}}"}
