import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arcuate.node import prepare_node
from arcuate.roles import Role
from arcuate.supervisor import FIRST_PAUSE_SECONDS, RoleNotReady, Supervisor
from arcuate.waiting import wait_until
from core.settings import Settings
from tests.fixtures.certificates import make_authority

PATIENCE_SECONDS = 60.0

#: Runs the receiver under a supervisor, says its port, then waits to be killed.
SUPERVISING_PROGRAM = """
import signal
from arcuate.roles import Role
from arcuate.supervisor import Supervisor
from core.settings import load_settings
print(Supervisor(load_settings(), [Role.RECEIVE]).start()[Role.RECEIVE], flush=True)
signal.pause()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    prepare_node(settings_of(tmp_path)).database.close()
    return tmp_path


@pytest.fixture
def receiver(home: Path) -> Iterator[tuple[Supervisor, int]]:
    """A watched supervisor of the receiver alone, with its port."""
    supervisor, stopping = Supervisor(settings_of(home), [Role.RECEIVE]), threading.Event()
    port = supervisor.start()[Role.RECEIVE]
    watching = threading.Thread(target=supervisor.watch, args=(stopping,))
    watching.start()
    yield supervisor, port
    stopping.set()
    watching.join()


def settings_of(home: Path, dicom_port: int = 0) -> Settings:
    return Settings(home=home, dicom_port=dicom_port, http_port=0, auth="none", log_level="error")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def kill_and_wait_for_the_next(supervisor: Supervisor) -> float:
    """Return the seconds from a kill until the role runs as another process."""
    dead = supervisor.process_id(Role.RECEIVE)
    killed_at = time.monotonic()
    os.kill(dead, signal.SIGKILL)
    assert wait_until(lambda: supervisor.process_id(Role.RECEIVE) != dead, PATIENCE_SECONDS)
    return time.monotonic() - killed_at


def test_role_that_dies_is_started_again_on_the_same_port(
    receiver: tuple[Supervisor, int],
) -> None:
    supervisor, port = receiver

    kill_and_wait_for_the_next(supervisor)

    assert wait_until(lambda: listens(port), PATIENCE_SECONDS)


def listeners(port: int) -> int:
    """Return how many sockets listen on a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


def test_receivers_share_a_port_and_one_goes_on_when_another_dies(home: Path) -> None:
    settings = settings_of(home).model_copy(update={"receivers": 2})
    supervisor, stopping = Supervisor(settings, [Role.RECEIVE]), threading.Event()
    port = supervisor.start()[Role.RECEIVE]
    assert listeners(port) == 2
    watching = threading.Thread(target=supervisor.watch, args=(stopping,))
    watching.start()

    os.kill(supervisor.process_id(Role.RECEIVE), signal.SIGKILL)
    assert wait_until(lambda: listeners(port) == 1, PATIENCE_SECONDS)
    assert listens(port)

    assert wait_until(lambda: listeners(port) == 2, PATIENCE_SECONDS)
    stopping.set()
    watching.join()
    assert listeners(port) == 0


def test_receiver_that_dies_has_the_same_tls_port_again(
    home: Path, need: Callable[[str], None]
) -> None:
    need("openssl")
    certificate = make_authority(home / "keys").issue("server")
    files = {"tls_cert": str(certificate.path), "tls_key": str(certificate.key)}
    closed = {"dicom_plain": False, "dicom_tls_port": 0}
    settings = settings_of(home).model_copy(update=files | closed)
    supervisor, stopping = Supervisor(settings, [Role.RECEIVE]), threading.Event()
    assert supervisor.start() == {Role.RECEIVE: 0}
    port = supervisor.dicom_tls_port
    watching = threading.Thread(target=supervisor.watch, args=(stopping,))
    watching.start()
    try:
        kill_and_wait_for_the_next(supervisor)

        assert wait_until(lambda: listens(port), PATIENCE_SECONDS)
    finally:
        stopping.set()
        watching.join()


def test_role_that_dies_again_and_again_waits_longer_each_time(
    receiver: tuple[Supervisor, int],
) -> None:
    supervisor, _ = receiver

    pauses = [kill_and_wait_for_the_next(supervisor) for _ in range(3)]

    assert pauses[0] >= FIRST_PAUSE_SECONDS
    assert pauses[1] >= 2 * FIRST_PAUSE_SECONDS
    assert pauses[2] >= 4 * FIRST_PAUSE_SECONDS


def test_role_ends_when_its_supervisor_is_killed(home: Path) -> None:
    environment = {**os.environ, "ARCUATE_HOME": str(home), "ARCUATE_DICOM_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISING_PROGRAM],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as supervising:
        assert supervising.stdout is not None
        port = int(supervising.stdout.readline())
        assert listens(port)

        supervising.kill()

    assert wait_until(lambda: not listens(port), PATIENCE_SECONDS)


def test_taken_port_is_told_and_the_other_roles_are_stopped(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_of(home, taken.getsockname()[1])
        supervisor = Supervisor(settings, [Role.DELIVER, Role.RECEIVE])

        with pytest.raises(RoleNotReady, match="`arcuate receive` ended with code 1"):
            supervisor.start()

    with pytest.raises(ProcessLookupError):
        os.kill(supervisor.process_id(Role.DELIVER), 0)


def test_receiver_runs_while_nothing_can_score(home: Path) -> None:
    settings = settings_of(home).model_copy(update={"model": "missing"})
    supervisor, stopping = Supervisor(settings, [Role.INFER, Role.RECEIVE]), threading.Event()

    port = supervisor.start(required=[Role.RECEIVE])[Role.RECEIVE]

    assert supervisor.late == ["`arcuate infer` ended with code 1: its own lines say why"]
    dead = supervisor.process_id(Role.INFER)
    watching = threading.Thread(target=supervisor.watch, args=(stopping,))
    watching.start()
    try:
        assert wait_until(lambda: supervisor.process_id(Role.INFER) != dead, PATIENCE_SECONDS)
        assert listens(port)
    finally:
        stopping.set()
        watching.join()


def test_role_that_was_never_started_has_no_process_id(home: Path) -> None:
    with pytest.raises(RoleNotReady, match="never started"):
        Supervisor(settings_of(home), [Role.SERVE]).process_id(Role.SERVE)


def test_stopped_role_listens_no_more(home: Path) -> None:
    supervisor = Supervisor(settings_of(home), [Role.RECEIVE])
    port = supervisor.start()[Role.RECEIVE]

    supervisor.stop()

    assert not listens(port)


def two_workers(home: Path) -> Supervisor:
    settings = settings_of(home).model_copy(update={"device": "cpu", "workers": 2})
    return Supervisor(settings, [Role.INFER], [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in ("0", "1")])


def test_workers_have_each_their_own_environment(home: Path) -> None:
    supervisor = two_workers(home)

    told = [supervisor._environment(child) for child in supervisor._children]

    assert [one["CUDA_VISIBLE_DEVICES"] for one in told] == ["0", "1"]
    assert [one["ARCUATE_WORKERS"] for one in told] == ["1", "1"]


@pytest.mark.slow
def test_infer_alone_runs_as_many_workers_as_the_settings_say(home: Path) -> None:
    """Its quick relative is the test before; this one loads TensorFlow twice."""
    settings = {"ARCUATE_HOME": str(home), "ARCUATE_DEVICE": "cpu", "ARCUATE_WORKERS": "2"}
    with subprocess.Popen(
        [sys.executable, "-m", "arcuate", "infer", "--supervised"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **settings},
    ) as several:
        assert several.stdout is not None
        line = several.stdout.readline()
        workers = Path(f"/proc/{several.pid}/task/{several.pid}/children").read_text().split()
        several.communicate()

    assert '"role": "infer", "ready": true' in line
    assert len(workers) == 2
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
