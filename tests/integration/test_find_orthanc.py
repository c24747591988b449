"""Orthanc, an archive we did not write, asks us what we hold."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.settings import Settings
from dicom_node.peers import add_peer
from tests.builders.queryable import fill
from tests.fixtures.dicom_server import running_node
from tests.fixtures.orthanc import ORTHANC, Orthanc, running_orthanc


@pytest.fixture
def orthanc(
    settings: Settings, database: Database, tmp_path: Path, need: Callable[[str], None]
) -> Iterator[Orthanc]:
    need("Orthanc")
    with running_node(settings, database) as node:
        fill(node.archive)
        with database.transaction() as session:
            add_peer(session, ORTHANC, "127.0.0.1")
        with running_orthanc(tmp_path / "orthanc", node.address) as peer:
            yield peer


def ask(orthanc: Orthanc, level: str, **keys: str) -> list[dict[str, Any]]:
    made = orthanc.post("/modalities/node/query", Level=level, Query=keys)
    answers: list[dict[str, Any]] = orthanc.get(f"{made['Path']}/answers?expand&simplify")
    return answers


def test_orthanc_finds_what_we_hold_at_every_level(orthanc: Orthanc) -> None:
    patients = ask(orthanc, "Patient", PatientName="*ANN*")
    studies = ask(orthanc, "Study", PatientID="P1", StudyDate="20240101-", ModalitiesInStudy="")
    series = ask(orthanc, "Series", StudyInstanceUID="1.2.10", Modality="SR")
    instances = ask(orthanc, "Instance", SeriesInstanceUID="1.2.20.1", InstanceNumber="2")

    assert [one["PatientID"] for one in patients] == ["P1"]
    assert [one["StudyInstanceUID"] for one in studies] == ["1.2.11", "1.2.10"]
    assert [one["ModalitiesInStudy"] for one in studies] == ["OPT", "OPT\\OT\\SR"]
    assert [one["SeriesInstanceUID"] for one in series] == ["1.2.10.9"]
    assert [one["SOPInstanceUID"] for one in instances] == ["1.2.20.1.2"]
