"""Who takes scans and gives results, running, and how its results are seen."""

import json
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlmodel import col, select

from arcuate.bench.ingest.server_process import HOST, program, server_process
from arcuate.bench.pipeline import CALLING_AE_TITLE
from arcuate.bench.ports import free_port
from arcuate.node import Node
from arcuate.throwaway import throwaway_node
from core.database import Database
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from dicom_node.peers import PeerAddress

_ORTHANC: Final = "ORTHANC"


@dataclass(frozen=True)
class Contestant:
    """Where to send scans.

    Attributes
    ----------
    results
        Each call gives the SOP Instance UIDs of the scans whose results came since the last.
    node
        None for somebody else's.
    check
        Raises ServerFailed where it has ended.
    """

    name: str
    peer: PeerAddress
    results: Callable[[], Sequence[str]]
    node: Node | None = None
    check: Callable[[], None] = lambda: None


@contextmanager
def running_arcuate(
    folder: Path, prepare: Callable[[Node], None], processes: int
) -> Generator[Contestant]:
    """Run a node, its results seen in its record."""
    with throwaway_node(folder, CALLING_AE_TITLE, prepare, processes) as running:
        results = _recorded(running.node.database)
        yield Contestant("arcuate", running.peer, lambda: next(results), running.node)


@contextmanager
def running_plain(folder: Path) -> Generator[Contestant]:
    """Run Orthanc and the plain scorer, its results seen in its file."""
    folder.mkdir()
    dicom_port, http_port = free_port(), free_port()
    configuration, results = folder / "orthanc.json", folder / "results.txt"
    configuration.write_text(json.dumps(_configuration(folder, dicom_port, http_port)))
    orthanc = [program("Orthanc", "orthanc"), str(configuration)]
    url = f"http://{HOST}:{http_port}"
    scorer = [sys.executable, "-m", "arcuate.bench.scoring.plain_scorer", url, str(results)]
    (folder / "scorer").mkdir()
    with server_process("Orthanc", orthanc, folder, {}) as archive:
        archive.wait_for_port(http_port)
        with server_process("the plain scorer", scorer, folder / "scorer", {}) as process:
            # It makes the file when its model is read.
            process.wait_until_ready(results.exists)
            lines = _lines(results)
            peer = PeerAddress(_ORTHANC, HOST, dicom_port)
            yield Contestant("plain", peer, lambda: next(lines), check=process.check)


def _configuration(folder: Path, dicom_port: int, http_port: int) -> dict[str, object]:
    return {
        "DicomAet": _ORTHANC,
        "DicomPort": dicom_port,
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder / "kept"),
        "IndexDirectory": str(folder / "kept"),
    }


def _recorded(database: Database) -> Iterator[Sequence[str]]:
    last = 0
    while True:
        statement = (
            select(ChangeRow.number, InstanceRow.sop_instance_uid)
            .join(PredictionRow, col(PredictionRow.id) == col(ChangeRow.subject))
            .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
            .where(col(ChangeRow.number) > last)
            .where(col(ChangeRow.kind) == ChangeKind.PREDICTION_RECORDED)
            .order_by(col(ChangeRow.number))
        )
        with database.reading() as session:
            found = session.exec(statement).all()
        last = found[-1][0] if found else last
        yield [uid for _, uid in found]


def _lines(results: Path) -> Iterator[Sequence[str]]:
    with results.open() as file:
        rest = ""
        while True:
            *whole, rest = (rest + file.read()).split("\n")
            yield [line.split()[0] for line in whole]
