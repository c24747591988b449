from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from arcuate.finding import Finding, Health
from arcuate.node import Node, prepare_node
from arcuate.sender_checks import check_senders
from core.clock import utc_now
from core.settings import Settings
from core.tables.sightings import DeviceRow
from dicom_node.peers import ExpectedRhythm, add_peer


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    settings = Settings(home=tmp_path / "home", dicom_port=0, http_port=0, auth="none")
    prepared = prepare_node(settings)
    yield prepared
    prepared.database.close()


def _see(node: Node, clock_days: dict[str, float]) -> None:
    now = utc_now()
    device = DeviceRow(
        manufacturer="Maker",
        model="Scanner",
        serial_number="SN-1",
        first_seen_at=now,
        last_seen_at=now,
        clock_days=clock_days,
    )
    with node.database.transaction() as session:
        session.add(device)


def test_nobody_silent_is_good(node: Node) -> None:
    _see(node, {"2026-03-04": 20.0})
    with node.database.transaction() as session:
        add_peer(session, "OCT1", rhythm=ExpectedRhythm("24h"))

    found = "1 devices seen, none silent, 0 send late"
    assert check_senders(node.settings) == Finding("senders", Health.GOOD, found)


def test_silent_peer_is_wrong(node: Node) -> None:
    with node.database.transaction() as session:
        peer = add_peer(session, "OCT1", rhythm=ExpectedRhythm("24h"))
        peer.added_at = utc_now() - timedelta(days=2)

    found = check_senders(node.settings)

    assert (found.health, found.found) == (
        Health.WRONG,
        "silent for longer than expected: OCT1",
    )
    assert found.remedy


def test_clock_that_is_ahead_is_noted(node: Node) -> None:
    _see(node, {"2026-03-04": -600.0})

    found = check_senders(node.settings)

    assert (found.health, found.found) == (Health.NOTE, "clock ahead of ours: Maker Scanner SN-1")


def test_late_objects_are_no_fault(node: Node) -> None:
    _see(node, {"2026-03-03": 20_000.0, "2026-03-04": 20_000.0})

    assert check_senders(node.settings).found == "1 devices seen, none silent, 1 send late"
