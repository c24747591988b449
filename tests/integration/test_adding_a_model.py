"""Follows docs/adding-a-model.md, block by block, on a running node."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from sqlmodel import func, select

from arcuate.roles import Role
from arcuate.waiting import wait_until
from core.settings import Settings
from core.tables.reports import ReportRow
from core.tables.shadow_predictions import ShadowPredictionRow
from tests.conftest import REPOSITORY
from tests.fixtures.node import PATIENCE_SECONDS, RunningNode, running_node

PAGE = REPOSITORY / "docs" / "adding-a-model.md"
SAMPLES = REPOSITORY / "sample_dicom"
_BLOCK = re.compile(r"""^```(python|sh)(?: title="(\S+)")?\n(.*?)^```$""", re.MULTILINE | re.DOTALL)


@dataclass
class Reader:
    """Somebody who does what the page says, in an empty folder beside a running node."""

    folder: Path
    node: RunningNode

    def read(self, section: str) -> str:
        """Do the blocks of one section and return what the commands printed."""
        text = PAGE.read_text("utf-8").partition(f"\n## {section}")[2].partition("\n## ")[0]
        printed = ""
        for language, name, block in _BLOCK.findall(text):
            if language == "python":
                (self.folder / name).write_text(block, "utf-8")
            else:
                printed += self.run(block)
        return printed

    def run(self, commands: str) -> str:
        ours = commands.replace("sample_dicom", str(SAMPLES))
        ours = ours.replace("11112", str(self.node.peer.port))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", ours],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def states(self) -> dict[str, str]:
        models = json.loads(self.run("arcuate models list --json"))
        return {model["name"]: model["state"] for model in models if model["state"] != "installed"}

    def results_of(self, case: str) -> list[dict[str, Any]]:
        scans = [path for path in (SAMPLES / case).glob("*.dcm") if "oct" in path.name]
        uids = [str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in scans]
        return [self.node.wait_for_prediction(uid) for uid in uids]

    def _environment(self) -> dict[str, str]:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        for program, words in (("python", ""), ("arcuate", " -m arcuate")):
            path = programs / program
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
            path.chmod(0o755)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ARCUATE_")}
        return kept | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "ARCUATE_HOME": str(self.node.settings.home),
            "ARCUATE_DEVICE": "cpu",
            "ARCUATE_LOG_LEVEL": "warning",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }


def shadow_count(node: RunningNode) -> int:
    with node.database.reading() as session:
        return session.exec(select(func.count()).select_from(ShadowPredictionRow)).one()


# A dozen processes, each of which loads TensorFlow. Each step has tests of its own that always run.
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_page_adds_a_model_from_end_to_end(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path / "home",
        dicom_port=0,
        http_port=0,
        auth="none",
        log_level="warning",
        device="cpu",
    )
    roles = (Role.RECEIVE, Role.INFER, Role.DELIVER, Role.SERVE)
    with running_node(settings, roles) as node:
        (tmp_path / "desk").mkdir()
        reader = Reader(tmp_path / "desk", node)
        reader.read("1. Train")
        assert 'name = "smallnet"' in reader.read("2. Write the card")

        reader.read("3. Add")
        assert reader.states() == {"retinervenet": "active"}
        scored = (reader.folder / "smallnet.csv").read_text()
        assert "smallnet,1.0.0,sha256:" in scored

        reader.read("4. Let it watch")
        assert reader.states() == {"retinervenet": "active", "smallnet": "shadow"}
        results = reader.results_of("healthy")
        assert {result["model"]["name"] for result in results} == {"retinervenet"}
        assert wait_until(lambda: shadow_count(node) == len(results), PATIENCE_SECONDS)
        listed = node.get("/v1/predictions", limit=200)["items"]
        assert {item["model"]["name"] for item in listed} == {"retinervenet"}

        reader.read("5. Compare")
        compared = json.loads(reader.run("arcuate models compare smallnet --json"))
        assert (compared["eyes"], compared["both"]) == (len(results), len(results))
        assert compared["mean_absolute_difference_db"] > 0

        reader.read("6. Activate")
        assert reader.states() == {"smallnet": "active"}
        later = reader.results_of("arcuate")
        assert {result["model"]["name"] for result in later} == {"smallnet"}
        for result in (*results, *later):
            node.wait_for_reports(result)
        with node.database.reading() as session:
            reported = {row.prediction_id for row in session.exec(select(ReportRow)).all()}
        assert reported == {result["id"] for result in (*results, *later)}

        reader.read("7. Go back")
        assert reader.states() == {"retinervenet": "active", "smallnet": "retired"}
        assert {result["model"]["digest"] for result in reader.results_of("arcuate")} == {
            result["model"]["digest"] for result in later
        }
