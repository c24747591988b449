"""The servers that are asked: processes of their own, each with the whole population."""

import json
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import URL

from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.server_process import (
    HOST,
    PeerMissing,
    ServerProcess,
    program,
    server_process,
)
from arcuate.bench.ports import free_port
from arcuate.bench.query.asking import Asking, FindAsking, WebAsking
from arcuate.bench.query.orthanc_index import fill_index
from arcuate.bench.query.population import Population
from arcuate.bench.query.rows import fill
from arcuate.bench.query.small_object import small_object
from arcuate.node import prepare_node
from arcuate.roles import Role
from core.settings import ENVIRONMENT_PREFIX, Settings
from dicom_node.peers import add_peer

CALLING_AE_TITLE: Final = "BENCH"
_ORTHANC: Final = "ORTHANC"
WEB_PLUG_IN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
#: More than any question finds, so that nobody's limit cuts an answer.
_NO_LIMIT: Final = 1_000_000
#: Whatever is set where the measurement runs, it must not touch the node that is there.
_OURS: Final = (
    *("home", "database_url", "storage_url", "ae_title", "auth", "qido_maximum_results"),
    *("dicom_host", "dicom_port", "http_host", "http_port"),
)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Doors:
    """A server that answers, and how it is asked."""

    title: str
    dicom_port: int
    ae_title: str
    web_root: str


#: How a server is asked, by the name of the protocol.
WAYS: Final[Mapping[str, Callable[[Doors], Asking]]] = {
    "C-FIND": lambda doors: FindAsking(HOST, doors.dicom_port, CALLING_AE_TITLE, doors.ae_title),
    "QIDO-RS": lambda doors: WebAsking(doors.web_root),
}


@contextmanager
def ourselves(
    database: BenchDatabase, population: Population, folder: Path, tell: Tell
) -> Generator[Doors]:
    """Run our receiver and our web server on the population until the block ends."""
    with database.made() as url, ExitStack() as stack:
        settings = Settings(
            home=folder / "home",
            database_url=_as_setting(url),
            dicom_host=HOST,
            dicom_port=0,
            http_host=HOST,
            http_port=0,
            auth="none",
            qido_maximum_results=_NO_LIMIT,
        )
        node = prepare_node(settings)
        # Before the record names objects, of which there are none here.
        node.storage.prepare()
        with node.database.transaction() as session:
            add_peer(session, CALLING_AE_TITLE, HOST, description="measurement")
        fill(node.database, population, tell)
        node.database.close()
        dicom_port = stack.enter_context(_role(Role.RECEIVE, settings, folder))
        http_port = stack.enter_context(_role(Role.SERVE, settings, folder))
        root = f"http://{HOST}:{http_port}/dicom-web"
        yield Doors(f"arcuate, {database.name}", dicom_port, settings.ae_title, root)


@contextmanager
def orthanc(population: Population, folder: Path, tell: Tell) -> Generator[Doors]:
    """Run an Orthanc, with its index in SQLite, on the population until the block ends.

    Raises
    ------
    PeerMissing
        If it, or its plug-in for DICOMweb, is not installed.
    """
    if not WEB_PLUG_IN.exists():
        raise PeerMissing(f"{WEB_PLUG_IN.name} is not installed (Debian package orthanc-dicomweb)")
    kept = folder / "kept"
    kept.mkdir(parents=True)
    with _orthanc(folder, kept) as (_, _, web):
        httpx.post(f"{web}/instances", content=small_object(), timeout=30).raise_for_status()
    fill_index(kept / "index", population, tell)
    with _orthanc(folder, kept) as (_, dicom_port, web):
        yield Doors("Orthanc, SQLite", dicom_port, _ORTHANC, f"{web}/dicom-web")


@contextmanager
def _role(role: Role, settings: Settings, folder: Path) -> Generator[int]:
    """Run a role of a node; yield its port."""
    own = folder / role
    own.mkdir()
    ours = settings.model_dump(mode="json", include=set(_OURS))
    environment = {f"{ENVIRONMENT_PREFIX}{n.upper()}": str(value) for n, value in ours.items()}
    command = [sys.executable, "-m", "arcuate", role, "--supervised"]
    with server_process(f"arcuate {role}", command, own, environment) as process:
        process.wait_until_ready(lambda: _announced_port(process) > 0)
        yield _announced_port(process)


@contextmanager
def _orthanc(folder: Path, kept: Path) -> Generator[tuple[ServerProcess, int, str]]:
    dicom_port, http_port = free_port(), free_port()
    configuration: Mapping[str, Any] = {
        "DicomAet": _ORTHANC,
        "DicomPort": dicom_port,
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(kept),
        "IndexDirectory": str(kept),
        # It answers only whom it knows.
        "DicomModalities": {"bench": [CALLING_AE_TITLE, HOST, free_port()]},
        "LimitFindResults": 0,
        "Plugins": [str(WEB_PLUG_IN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(configuration))
    command = [program("Orthanc", "orthanc"), str(file)]
    # As shipped its answers wait for delayed acknowledgements; so they do not.
    with server_process("Orthanc", command, folder, {"TCP_NODELAY": "1"}) as process:
        process.wait_for_port(dicom_port)
        process.wait_for_port(http_port)
        yield process, dicom_port, f"http://{HOST}:{http_port}"


def _as_setting(url: URL | None) -> str:
    if url is None:
        return ""
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _announced_port(process: ServerProcess) -> int:
    line, end, _ = process.output.read_text("utf-8").partition("\n")
    return int(json.loads(line)["port"]) if end else 0
