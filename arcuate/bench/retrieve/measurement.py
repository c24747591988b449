"""One large object retrieved whole, and frame by frame, by several clients at a time."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from arcuate.bench.ingest.encoded_object import PLACEHOLDER
from arcuate.bench.ingest.objects import volume
from arcuate.bench.ingest.server_process import HOST
from arcuate.bench.retrieve.client import Wish
from arcuate.bench.retrieve.servers import Door, running_arcuate, running_orthanc
from core.errors import NodeError
from dicom_node.storage.part10 import EncodedInstance

#: 128 B-scans of 512 A-scans, 885 rows deep: 58 MB.
FRAMES: Final = 128
_ROWS: Final = 885
_COLUMNS: Final = 512
_PATH: Final = (
    f"/studies/{PLACEHOLDER.study_instance_uid}/series/{PLACEHOLDER.series_instance_uid}"
    f"/instances/{PLACEHOLDER.sop_instance_uid}"
)


class AnswerTooShort(NodeError):
    """An answer was shorter than what was asked for."""


@dataclass(frozen=True)
class Figure:
    """One run: all clients together.

    Attributes
    ----------
    kind
        `object` or `frame`.
    """

    server: str
    kind: str
    clients: int
    requests: int
    megabytes_a_second: float
    requests_a_second: float
    median_ms: float


@dataclass(frozen=True)
class Measurement:
    """What is measured, in turn, so that all meet the same machine."""

    with_orthanc: bool
    clients: int = 4
    objects: int = 5
    frames: int = 100
    runs: int = 3

    def figures(self, show: Callable[[str], None]) -> Iterator[Figure]:
        """Yield each run as it ends."""
        encoded = volume(FRAMES, _ROWS, _COLUMNS)
        instance = EncodedInstance(
            transfer_syntax_uid=encoded.transfer_syntax_uid,
            sop_class_uid=encoded.sop_class_uid,
            sop_instance_uid=PLACEHOLDER.sop_instance_uid,
            data_set=encoded.data_set,
        )
        with TemporaryDirectory() as folder, ExitStack() as running:
            doors = self._doors(Path(folder), instance, _PATH, running)
            for kind, repeats, least in (
                ("object", self.objects, len(instance.data_set)),
                ("frame", self.frames, _ROWS * _COLUMNS),
            ):
                for run in range(self.runs):
                    for door in doors:
                        show(f"{kind} {run + 1}/{self.runs} from {door.name}")
                        yield self._measure(door, kind, repeats, least)

    def _doors(
        self, folder: Path, instance: EncodedInstance, path: str, running: ExitStack
    ) -> list[Door]:
        found: list[Door] = []
        servers = [running_arcuate, running_orthanc] if self.with_orthanc else [running_arcuate]
        for server in servers:
            own = folder / server.__name__
            own.mkdir()
            found += running.enter_context(server(own, instance, path))
        return found

    def _measure(self, door: Door, kind: str, repeats: int, least_bytes: int) -> Figure:
        # The own door of Orthanc counts frames from 0: the last one is never asked for.
        wish = Wish(HOST, door.port, door.paths[kind], door.headers[kind], repeats, FRAMES - 1)
        clients = [_start(wish) for _ in range(self.clients)]
        answers = [json.loads(_finish(client)) for client in clients]
        # Not the start of the clients, which takes longer than many answers.
        seconds = max(one["ended"] for one in answers) - min(one["begun"] for one in answers)
        length = sum(answer["length"] for answer in answers)
        count = repeats * self.clients
        if length < least_bytes * count:
            raise AnswerTooShort(
                f"{door.name} sent {length} bytes of at least {least_bytes * count}"
            )
        each = [one for answer in answers for one in answer["seconds"]]
        return Figure(
            server=door.name,
            kind=kind,
            clients=self.clients,
            requests=count,
            megabytes_a_second=length / 1e6 / seconds,
            requests_a_second=count / seconds,
            median_ms=median(each) * 1000,
        )


def _start(wish: Wish) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "arcuate.bench.retrieve.client"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    process.stdin.write(json.dumps(asdict(wish)))
    process.stdin.close()
    process.stdin = None
    return process


def _finish(client: "subprocess.Popen[str]") -> str:
    answer, _ = client.communicate()
    if client.returncode:
        raise AnswerTooShort("A client was not answered")
    return answer
