"""The role that watches a folder, killed at random moments while files arrive."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from arcuate.node import prepare_node
from arcuate.waiting import wait_until
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.quarantine import QuarantineRow
from tests.builders.encoded_instance import as_file, encode_instance

FILES = 60
KILLS = 5
PATIENCE_SECONDS = 120


@contextmanager
def watching(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ARCUATE_")}
    values = settings.model_dump(mode="json").items()
    environment |= {f"ARCUATE_{name.upper()}": str(value) for name, value in values}
    command = [sys.executable, "-m", "arcuate", "watch"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        # It tells when it is ready.
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)
        process.stdout.close()


def left(folder: Path) -> list[Path]:
    ours = {"taken", "refused"}
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in ours
    ]


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
def test_nothing_is_lost_or_taken_twice(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    watched = settings.model_copy(
        update={
            "watch_folder": str(folder),
            "watch_settle_seconds": 0.1,
            "watch_patience_seconds": 1.0,
        }
    )
    node = prepare_node(watched)
    chance = random.Random(7)  # noqa: S311 - moments to kill at
    for numbers in batched(range(FILES)):
        for number in numbers:
            put(folder, number)
        with watching(watched) as process:
            wait_for(folder, chance.randrange(len(numbers)))
            os.kill(process.pid, signal.SIGKILL)
    with watching(watched):
        assert wait_until(lambda: not left(folder), PATIENCE_SECONDS), left(folder)

    with node.database.reading() as session:
        kept = session.exec(select(InstanceRow.sop_instance_uid)).all()
        jobs = session.exec(select(JobRow)).all()
        quarantined = session.exec(select(QuarantineRow)).all()
    node.database.close()
    assert sorted(kept) == sorted(f"1.2.3.1.1.{number + 1}" for number in range(FILES))
    assert (len(jobs), quarantined) == (FILES, [])
    assert len(list((folder / "taken").glob("*/*.dcm"))) == FILES


def batched(numbers: range) -> list[range]:
    size = len(numbers) // KILLS
    return [numbers[start : start + size] for start in numbers[::size]]


def wait_for(folder: Path, few: int) -> None:
    assert wait_until(lambda: len(left(folder)) <= few, PATIENCE_SECONDS)


def put(folder: Path, number: int) -> None:
    uid = f"1.2.3.1.1.{number + 1}"
    content = as_file(encode_instance(SOPInstanceUID=uid, PixelData=bytes(100_000)))
    (folder / f"{number}.dcm").write_bytes(content)


@pytest.mark.parametrize("folder", ["", "home", "."])
def test_a_folder_that_cannot_be_watched_is_wrong_use(tmp_path: Path, folder: str) -> None:
    """Watching our own storage would take it away."""
    home = tmp_path / "home"
    prepare_node(Settings(home=home)).database.close()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ARCUATE_")}
    environment |= {"ARCUATE_HOME": str(home), "ARCUATE_WATCH_FOLDER": folder}
    called = subprocess.run(
        [sys.executable, "-m", "arcuate", "watch"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert called.returncode == 2
    assert ("watch_folder" in called.stderr, "Traceback" in called.stderr) == (True, False)
