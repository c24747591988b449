from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from core.tables.sightings import DeviceRow, PeerSightingRow
from dicom_node.peers import ExpectedRhythm, add_peer
from dicom_node.storage.bytes import Storage
from tests.fixtures.http_server import http_server

_SEEN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_OPT = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
_EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


def _sighting(last_object_at: datetime = _SEEN) -> PeerSightingRow:
    return PeerSightingRow(
        ae_title="OCT1",
        first_seen_at=_SEEN,
        last_association_at=_SEEN,
        last_object_at=last_object_at,
        associations=3,
        objects=7,
        sop_classes={_OPT: 7},
        transfer_syntaxes={_EXPLICIT: 7},
    )


def _device(number: int = 1, **changes: Any) -> DeviceRow:
    values = {
        "manufacturer": "Maker",
        "model": "Scanner",
        "serial_number": f"SN-{number}",
        "station_name": "ROOM2",
        "institution_name": "Clinic",
        "first_seen_at": _SEEN,
        "last_seen_at": _SEEN,
        "last_ae_title": "OCT1",
        "objects": 7,
        "sop_classes": {_OPT: 7},
        "transfer_syntaxes": {_EXPLICIT: 7},
        "clock_days": {"2026-03-04": 20.0},
        "names_zone": True,
    }
    return DeviceRow(**{**values, **changes})


def test_peer_says_what_was_seen_of_it_and_that_it_is_silent(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        peer = add_peer(session, "OCT1", "192.0.2.7", rhythm=ExpectedRhythm("24h"))
        peer.added_at = _SEEN
        add_peer(session, "OCT2", clock=lambda: _SEEN)
        session.add(_sighting())

    seen, unseen = client.get("/v1/peers").json()["items"]

    expected = {
        "ae_title": "OCT1",
        "host": "192.0.2.7",
        "port": None,
        "description": "",
        "certificate_sha256": None,
        "added_at": "2026-03-04T09:30:00Z",
        "first_seen_at": "2026-03-04T09:30:00Z",
        "last_seen_at": None,
        "last_association_at": "2026-03-04T09:30:00Z",
        "last_echo_at": None,
        "last_object_at": "2026-03-04T09:30:00Z",
        "associations": 3,
        "objects": 7,
        "sop_classes": {_OPT: 7},
        "transfer_syntaxes": {_EXPLICIT: 7},
        "expect_every_seconds": 86400,
        "expect_days": "",
        "silent_since": "2026-03-05T09:30:00Z",
    }
    assert {name: seen[name] for name in expected} == expected
    assert (unseen["ae_title"], unseen["first_seen_at"], unseen["objects"]) == ("OCT2", None, 0)
    assert (unseen["expect_every_seconds"], unseen["silent_since"]) == (None, None)


def test_peer_that_sent_in_time_is_not_silent(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "OCT1", rhythm=ExpectedRhythm("24h")).added_at = _SEEN
        session.add(_sighting(utc_now() - timedelta(hours=1)))

    [peer] = client.get("/v1/peers").json()["items"]

    assert peer["silent_since"] is None


def test_devices_say_what_they_are_and_how_their_clock_is(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        session.add(_device())
        session.add(_device(2, clock_days={"2026-03-04": -10_790.0}, names_zone=False))

    first, second = client.get("/v1/devices").json()["items"]

    assert first == {
        "id": 1,
        "manufacturer": "Maker",
        "model": "Scanner",
        "serial_number": "SN-1",
        "station_name": "ROOM2",
        "institution_name": "Clinic",
        "first_seen_at": "2026-03-04T09:30:00Z",
        "last_seen_at": "2026-03-04T09:30:00Z",
        "last_ae_title": "OCT1",
        "objects": 7,
        "sop_classes": {_OPT: 7},
        "transfer_syntaxes": {_EXPLICIT: 7},
        "clock": {
            "state": "plausible",
            "ahead_seconds": -20.0,
            "looks_like_zone": False,
            "names_zone": True,
        },
    }
    assert second["clock"] == {
        "state": "ahead",
        "ahead_seconds": 10_790.0,
        "looks_like_zone": True,
        "names_zone": False,
    }


def test_devices_come_in_pages(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        for number in range(3):
            session.add(_device(number))

    first = client.get("/v1/devices", params={"limit": 2}).json()
    second = client.get("/v1/devices", params={"limit": 2, "cursor": first["next"]}).json()

    serials = [item["serial_number"] for item in (*first["items"], *second["items"])]
    assert (serials, second["next"]) == (["SN-0", "SN-1", "SN-2"], None)


def test_page_shows_silent_peers_and_wrong_clocks(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "OCT1", rhythm=ExpectedRhythm("24h", "mon-fri")).added_at = _SEEN
        session.add(_sighting())
        session.add(_device(clock_days={"2026-03-04": -10_790.0}, model="<b>Scanner</b>"))

    page = client.get("/devices", headers={"Accept": "text/html"}).text

    for text in (
        "every 24 h, mon-fri",
        '<span class="chip failed">Silent</span>',
        "overdue since",
        "Maker &lt;b&gt;Scanner&lt;/b&gt;",
        "serial SN-1",
        "Ahead by at least 3 h; perhaps another time zone",
        "Ophthalmic Tomography Image Storage: 7",
    ):
        assert text in page, text


def test_page_without_peers_and_devices_says_how_to_begin(client: httpx.Client) -> None:
    page = client.get("/devices", headers={"Accept": "text/html"}).text

    assert "allow it among the refused callers" in page
    assert "Each appears with its first object." in page


def test_results_page_tells_who_is_silent(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "OCT1", rhythm=ExpectedRhythm("24h")).added_at = _SEEN

    page = client.get("/", headers={"Accept": "text/html"}).text

    assert '<a class="chip failed" href="/devices">Silent: OCT1</a>' in page
