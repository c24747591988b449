"""Many who search at once, and a device that stores meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.scp import find as service
from dicom_node.scu.store import send
from dicom_node.statuses import Status
from dicom_node.storage.query.finding import find
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.dicom_server import DEVICE, running_node
from tests.fixtures.query_scu import ask, asking, identifier

#: More than there are connections to a database.
SEARCHERS = 20


def test_searches_that_take_long_keep_nobody_from_storing(
    settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, done = [], threading.Event()

    def slowly(opened: Database, *query: Any) -> Any:
        with opened.reading() as session:
            session.exec(select(InstanceRow.id)).all()
            under_way.append(threading.get_ident())
            done.wait(60)
        return find(opened, *query)

    monkeypatch.setattr(service, "find", slowly)
    path = tmp_path / "scan.dcm"
    path.write_bytes(as_file(encode_instance()))

    def search(port: int) -> int:
        with asking(port) as association:
            return ask(association, identifier("STUDY", PatientID="*1*")).status

    with running_node(settings, database) as node, ThreadPoolExecutor(SEARCHERS + 1) as pool:
        try:
            searches = [pool.submit(search, node.port) for _ in range(SEARCHERS)]
            assert wait_until(lambda: len(under_way) >= 4, 60)
            [stored] = pool.submit(lambda: list(send([path], node.address, DEVICE))).result(20)
        finally:
            done.set()
        assert stored.status == Status.SUCCESS
        assert {one.result(60) for one in searches} == {Status.SUCCESS}
