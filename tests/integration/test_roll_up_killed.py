"""A whole node whose processes are killed while a study comes in: it is settled all the same."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from arcuate.roles import Role
from arcuate.waiting import wait_until
from core.settings import Settings
from core.values.laterality import Laterality
from tests.builders.opt import build_circle_opt, build_localizer
from tests.fixtures.node import PATIENCE_SECONDS, RunningNode, running_node


@pytest.fixture
def node(settings: Settings) -> Iterator[RunningNode]:
    quick = {"study_quiet_seconds": 8.0, "lease_seconds": 5.0, "log_level": "warning"}
    with running_node(settings.model_copy(update=quick)) as running:
        yield running


def _kill(node: RunningNode, role: Role) -> None:
    before = node.supervisor.process_id(role)
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: node.supervisor.process_id(role) != before, 60)


def _summary(node: RunningNode, study_uid: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = node.get(f"/v1/studies/{study_uid}/summary")
    except httpx.HTTPStatusError as error:
        return {"state": f"HTTP {error.response.status_code}", "version": 0}
    return found


def _wait_for_version(node: RunningNode, study_uid: str, version: int) -> dict[str, Any]:
    def is_settled() -> bool:
        summary = _summary(node, study_uid)
        return bool(summary["version"] == version and summary["state"] == "settled")

    assert wait_until(is_settled, PATIENCE_SECONDS), _summary(node, study_uid)
    return _summary(node, study_uid)


# Its relative that always runs: a database that goes away, test_roll_up_database_away.py.
@pytest.mark.slow
def test_study_is_settled_whichever_process_dies(node: RunningNode, tmp_path: Path) -> None:
    scans = [build_circle_opt(laterality=side, key="killed") for side in Laterality]
    study_uid = str(scans[0].StudyInstanceUID)

    assert all(result.is_kept for result in node.send_datasets(tmp_path / "scans", *scans))
    for role in (Role.RECEIVE, Role.DELIVER, Role.INFER, Role.DELIVER):
        _kill(node, role)

    # Whether the end of the association was written before the receiver died is left open.
    first = _wait_for_version(node, study_uid, 1)
    assert [(eye["laterality"], eye["status"]) for eye in first["eyes"]] == [
        ("R", "final"),
        ("L", "final"),
    ]
    assert (first["counts"]["received"], first["counts"]["scored"]) == (2, 2)

    late = build_localizer(key="killed")
    assert wait_until(
        lambda: all(r.is_kept for r in node.send_datasets(tmp_path / "late", late)), 60
    )
    _kill(node, Role.DELIVER)
    second = _wait_for_version(node, study_uid, 2)
    assert (second["counts"]["received"], second["counts"]["not_model_input"]) == (3, 1)
    changes = node.get("/v1/changes", limit=200)["items"]
    assert [c["kind"] for c in changes if c["subject"] == study_uid] == [
        "study_settled",
        "study_reopened",
        "study_settled",
    ]
    [peer] = node.get("/v1/peers")["items"]
    assert peer["objects"] == 3
    assert [device["objects"] for device in node.get("/v1/devices")["items"]] == [3]
