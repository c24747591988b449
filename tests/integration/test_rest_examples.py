"""The examples of docs/rest.md, each run as it stands against a whole node."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import pytest
from pydicom import dcmread

from core.keys import Role, create_key
from core.settings import Settings
from tests.conftest import REPOSITORY
from tests.fixtures.node import RunningNode, running_node

_PAGE = REPOSITORY / "docs" / "rest.md"
_EXAMPLE = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ADDRESS = "http://127.0.0.1:8080"
_EXAMPLES = [(match[1], match[2]) for match in _EXAMPLE.finditer(_PAGE.read_text("utf-8"))]
_SAMPLES = REPOSITORY / "sample_dicom"
_STUDIES = ("healthy", "arcuate")


@dataclass(frozen=True)
class Served:
    """A node that holds results, and a key to it."""

    node: RunningNode
    key: str

    @property
    def url(self) -> str:
        return str(self.node.client.base_url)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("examples")
    copyfile(sqlite_template, home / "arcuate.db")
    settings = Settings(
        home=home,
        database_url=f"sqlite:///{home / 'arcuate.db'}",
        dicom_port=0,
        http_port=0,
        auth="keys",
        log_level="warning",
    )
    with running_node(settings) as node:
        with node.database.transaction() as session:
            key = create_key(session, "notebook", Role.CLINICIAN)
        node.client.headers["X-API-Key"] = key
        paths = [path for name in _STUDIES for path in sorted((_SAMPLES / name).glob("*.dcm"))]
        node.send(*paths)
        for path in paths:
            if path.stem.endswith("_oct"):
                node.wait_for_reports(node.wait_for_prediction(_uid(path)))
        yield Served(node, key)


def _uid(path: Path) -> str:
    return str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def test_there_are_examples_of_both_kinds() -> None:
    kinds = [kind for kind, _ in _EXAMPLES]

    assert kinds.count("sh") >= 6
    assert kinds.count("python") == 3


@pytest.mark.parametrize(("kind", "example"), _EXAMPLES, ids=range(len(_EXAMPLES)))
def test_example_runs(served: Served, tmp_path: Path, kind: str, example: str) -> None:
    told = example.replace(_ADDRESS, served.url)
    if kind == "sh":
        command = ["bash", "-euo", "pipefail", "-c", told]
    else:
        command = [sys.executable, "-c", told.replace("key=KEY", f"key={served.key!r}")]

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "KEY": served.key, "PYTHONPATH": str(REPOSITORY / "client")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
