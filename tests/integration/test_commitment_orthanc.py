"""Storage commitment asked for by Orthanc, which stores first and hears on its own port."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.worker import Worker
from dicom_node.delivery.commitment import CommitmentStep
from dicom_node.peers import add_peer
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.orthanc import ORTHANC, Orthanc, running_orthanc

PATIENCE_SECONDS = 90


def commit(orthanc: Orthanc, node: Node, settings: Settings, *uids: str) -> dict[str, Any]:
    """Let Orthanc ask about instances and hear the answer; return what it heard."""
    pairs = [[encode_instance().sop_class_uid, uid] for uid in uids]
    asked = orthanc.post("/modalities/node/storage-commitment", DicomInstances=pairs)
    step = CommitmentStep(node.database, node.archive.storage, settings.ae_title, 60.0)
    assert Worker(node.database, settings, step, threading.Event()).run_once() == 1

    def heard() -> dict[str, Any]:
        answer: dict[str, Any] = orthanc.get(asked["Path"])
        return answer

    assert wait_until(lambda: heard()["Status"] != "Pending", PATIENCE_SECONDS), heard()
    return heard()


def test_orthanc_hears_what_is_kept_and_what_is_not(
    settings: Settings, database: Database, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("Orthanc")
    with (
        running_node(settings, database) as node,
        running_orthanc(tmp_path / "orthanc", node.address) as orthanc,
    ):
        with database.transaction() as session:
            add_peer(session, ORTHANC, "127.0.0.1", orthanc.dicom_port)
        content = as_file(encode_instance())
        kept_at_orthanc = orthanc.client.post("/instances", content=content).json()["ID"]
        orthanc.post("/modalities/node/store", Resources=[kept_at_orthanc])

        whole = commit(orthanc, node, settings, "1.2.3.1.1.1")
        partial = commit(orthanc, node, settings, "1.2.3.1.1.1", "1.2.3.1.1.404")

    assert (whole["Status"], len(whole["Success"]), whole["Failures"]) == ("Success", 1, [])
    assert (partial["Status"], len(partial["Success"])) == ("Failure", 1)
    [failure] = partial["Failures"]
    assert failure["SOPInstanceUID"] == "1.2.3.1.1.404"
    assert failure["Description"].endswith("was not available")
