"""STOW-RS against `arcuate serve` in a process of its own: what it holds, and what it leaves."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlmodel import func, select

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.storage.bytes import Storage
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.store_body import content_type, multipart, multipart_chunks

STUDIES = "/dicom-web/studies"
PATIENCE_SECONDS = 60.0
MIB = 1 << 20
LARGEST_OBJECT_MIB = 8
#: A batch of the body, and one object as it is taken in; far less than either body.
MOST_GROWTH_MIB = 64


@dataclass(frozen=True)
class Serving:
    """A process that answers; `storage` is where its objects are."""

    process: subprocess.Popen[str]
    port: int
    storage: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def peak_mib(self) -> float:
        """Return the most memory the process ever held."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
        [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return int(peak) / 1024

    def is_gathering(self) -> bool:
        """Whether it has a file open among its objects."""
        links = list(Path(f"/proc/{self.process.pid}/fd").iterdir())
        return any(_target(link).is_relative_to(self.storage) for link in links)

    def files(self) -> list[Path]:
        return [path for path in self.storage.rglob("*") if path.is_file()]


def _target(link: Path) -> Path:
    try:
        return link.readlink()
    except FileNotFoundError:
        # Closed while we looked.
        return Path()


@pytest.fixture
def serving(settings: Settings, database: Database) -> Iterator[Serving]:
    wanted = {
        "HOME": str(settings.home.resolve()),
        "DATABASE_URL": settings.database,
        "HTTP_PORT": "0",
        "AUTH": "none",
        "MAXIMUM_OBJECT_MIB": str(LARGEST_OBJECT_MIB),
    }
    environment = {**os.environ, **{f"ARCUATE_{name}": value for name, value in wanted.items()}}
    settings.home.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "arcuate", "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port = int(json.loads(process.stdout.readline())["port"])
            yield Serving(process, port, settings.home.resolve() / "instances")
        finally:
            process.kill()


def file(number: int, size_bytes: int) -> bytes:
    content = number.to_bytes(4, "big") * (size_bytes // 4)
    return as_file(encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}", PixelData=content))


def test_memory_stays_bounded_whatever_the_length_of_a_body(
    serving: Serving, database: Database
) -> None:
    body, headers = multipart(file(0, MIB))
    assert (
        httpx.post(serving.url + STUDIES, content=body, headers=headers, timeout=60).status_code
        == 200
    )
    before = serving.peak_mib()

    # 200 MiB in objects of 4, and 200 MiB in an object that is refused while it comes.
    chunks = multipart_chunks(*(file(number, 4 * MIB) for number in range(1, 51)))
    kept = httpx.post(serving.url + STUDIES, content=chunks, headers=headers, timeout=300)
    large = multipart_chunks(file(51, 200 * MIB))
    refused = httpx.post(serving.url + STUDIES, content=large, headers=headers, timeout=300)

    assert (kept.status_code, refused.status_code) == (200, 413)
    assert len(kept.json()["00081199"]["Value"]) == 50
    assert serving.peak_mib() - before < MOST_GROWTH_MIB
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(InstanceRow)).one() == 51


def begin_storing(serving: Serving) -> socket.socket:
    """Send the first half of an object, and return when the server is gathering it."""
    body, headers = multipart(file(1, 4 * MIB))
    lines = [f"POST {STUDIES} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection = socket.create_connection(("127.0.0.1", serving.port))
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[: len(body) // 2])
    assert wait_until(serving.is_gathering, PATIENCE_SECONDS)
    return connection


@pytest.mark.parametrize("resets", [True, False])
def test_client_that_breaks_off_leaves_nothing(
    serving: Serving, database: Database, resets: bool
) -> None:
    connection = begin_storing(serving)

    if resets:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()

    assert wait_until(lambda: not serving.is_gathering(), PATIENCE_SECONDS)
    assert serving.files() == []
    with database.reading() as session:
        assert session.exec(select(InstanceRow)).all() == []
    body, headers = multipart(file(1, 4 * MIB))
    assert (
        httpx.post(serving.url + STUDIES, content=body, headers=headers, timeout=60).status_code
        == 200
    )


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_server_that_ends_leaves_nothing(serving: Serving, end: signal.Signals) -> None:
    with begin_storing(serving):
        serving.process.send_signal(end)
        serving.process.wait(PATIENCE_SECONDS)

    # What a killed process was writing is no object, and gone with the next start.
    assert all(path.parent.name == ".unfinished" for path in serving.files())
    Storage(f"file://{serving.storage}").prepare()
    assert serving.files() == []


def test_refusal_is_heard_by_a_client_that_sends_all_it_has(serving: Serving) -> None:
    large = b"x" * (3 * MIB)
    headers = content_type() | {"Host": "elsewhere.example"}

    answer = httpx.post(serving.url + STUDIES, content=large, headers=headers, timeout=60)

    assert (answer.status_code, answer.json()["status"]) == (421, 421)
