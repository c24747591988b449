"""What becomes of a pool whose actors do not come back; `test_ray.py` has those that do."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from arcuate import ray_workers
from arcuate.cli import app
from arcuate.ray_session import RayOptions


class RayActorError(Exception):
    """As Ray's."""


class RayWithoutActors:
    """The little of Ray that workers use, which is not installed everywhere; no actor lives."""

    exceptions = SimpleNamespace(RayActorError=RayActorError)

    def remote(self, **_options: Any) -> Any:
        actor = SimpleNamespace(work=SimpleNamespace(remote=lambda: None))
        return lambda _kind: SimpleNamespace(remote=lambda *_: actor)

    def get(self, _result: Any) -> int:
        raise RayActorError


@pytest.fixture
def without_actors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    @contextmanager
    def session(_options: RayOptions) -> Iterator[RayWithoutActors]:
        yield RayWithoutActors()

    monkeypatch.setattr(ray_workers, "ray_session", session)
    monkeypatch.setattr(ray_workers, "_MOST_LOSSES", 2)
    monkeypatch.setattr(ray_workers, "_PAUSE_SECONDS", 0.0)
    asked = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in asked.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("without_actors")
@pytest.mark.timeout(60)
def test_pool_whose_actors_do_not_come_back_ends_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCUATE_HOME", str(tmp_path))
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0

    ended = CliRunner().invoke(app, ["pool"])

    assert isinstance(ended.exception, ray_workers.RayActorLost)
    assert ended.exit_code == 1
