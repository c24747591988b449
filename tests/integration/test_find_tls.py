"""C-FIND over TLS, where answers go another way: one socket object cannot serve two threads."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from pydicom import dcmread

from core.database import Database
from core.settings import Settings
from tests.builders.queryable import fill
from tests.fixtures.dicom_server import DEVICE, running_node
from tests.fixtures.tls import Keys


def test_findscu_finds_everything_over_tls(
    tls_settings: Settings,
    database: Database,
    keys: Keys,
    need: Callable[[str], None],
    tmp_path: Path,
) -> None:
    need("findscu")
    answers = tmp_path / "answers"
    answers.mkdir()
    asked = ["-S", "-X", "-od", answers, "-k", "QueryRetrieveLevel=IMAGE", "-k", "PatientName"]
    with running_node(tls_settings, database) as node:
        fill(node.archive)
        called = ["-aet", DEVICE, "-aec", "ARCUATE", "127.0.0.1", str(node.tls_port)]

        asking = subprocess.run(
            ["findscu", *keys.dcmtk(), *asked, *called], capture_output=True, check=False
        )

    assert asking.returncode == 0, asking.stderr
    told = {dcmread(path, force=True).SOPInstanceUID for path in answers.glob("*.dcm")}
    assert len(told) == 18
