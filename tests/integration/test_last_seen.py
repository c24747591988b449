"""Who was seen last and with what: real associations, the real record, a clock of our own."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_letters

import pytest
from pydicom import Dataset, config
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from sqlmodel import col, select

from arcuate.waiting import wait_until
from core.clock import utc_now
from core.database import Database
from core.device_clock import ClockState, judge_clock
from core.settings import Settings
from core.tables.associations import EndedAssociationRow
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.peers import PeerRow
from core.tables.sightings import DeviceRow, PeerSightingRow
from dicom_node.peers import ExpectedRhythm, add_peer
from dicom_node.scu.echo import echo
from dicom_node.scu.store import send
from dicom_node.storage.accept_list import RAW_DATA
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.feed import arrive, source_of
from tests.fixtures.clockwork import Clockwork
from tests.fixtures.dicom_server import DEVICE, Node, running_node

_MAKE = {
    "SOPClassUID": RAW_DATA,
    "Manufacturer": "Maker",
    "ManufacturerModelName": "Scanner",
    "DeviceSerialNumber": "SN-1",
    "StationName": "ROOM2",
    "InstitutionName": "Klinik Süd",
}


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def _send(node: Node, folder: Path, *objects: dict[str, object]) -> None:
    """Store objects that are kept and not scored, each in a series of its own."""
    paths = []
    for values in objects:
        number = len(list(folder.glob("*.dcm")))
        path = folder / f"{number}.dcm"
        uids = {"SOPInstanceUID": f"1.2.9.{number}", "SeriesInstanceUID": f"1.2.8.{number}"}
        path.write_bytes(as_file(encode_instance(**{**_MAKE, **uids, **values})))
        paths.append(path)
    assert all(result.is_kept for result in send(paths, node.address, DEVICE))


def _follow(node: Node, clockwork: Clockwork) -> None:
    """Let the roll-up take note of associations once they are written down."""

    def ended() -> list[EndedAssociationRow]:
        with node.database.reading() as session:
            return list(session.exec(select(EndedAssociationRow)).all())

    assert wait_until(lambda: bool(ended()), 30)
    clockwork.work()


def _peer(database: Database) -> PeerSightingRow:
    with database.reading() as session:
        return session.get_one(PeerSightingRow, DEVICE)


def _devices(database: Database) -> list[DeviceRow]:
    with database.reading() as session:
        return list(session.exec(select(DeviceRow).order_by(col(DeviceRow.id))).all())


def test_peer_that_echoed_was_seen_and_sent_nothing(node: Node, clockwork: Clockwork) -> None:
    before = utc_now()
    echo(node.address, DEVICE)

    _follow(node, clockwork)

    peer = _peer(node.database)
    assert (peer.associations, peer.objects, peer.last_object_at) == (1, 0, None)
    assert peer.last_address == "127.0.0.1"
    assert peer.last_echo_at == peer.last_association_at
    assert before <= peer.first_seen_at <= utc_now()
    assert _devices(node.database) == []


def test_peer_and_device_are_seen_with_what_they_sent(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    _send(node, tmp_path, {}, {})
    _follow(node, clockwork)
    _send(node, tmp_path, {})

    _follow(node, clockwork)

    peer, [device] = _peer(node.database), _devices(node.database)
    assert (peer.associations, peer.objects, peer.sop_classes, peer.transfer_syntaxes) == (
        2,
        3,
        {RAW_DATA: 3},
        {ExplicitVRLittleEndian: 3},
    )
    assert peer.first_seen_at < device.first_seen_at < device.last_seen_at == peer.last_object_at
    assert (device.manufacturer, device.model, device.serial_number) == ("Maker", "Scanner", "SN-1")
    assert (device.station_name, device.institution_name) == ("ROOM2", "Klinik Süd")
    assert (device.objects, device.sop_classes, device.last_ae_title) == (3, {RAW_DATA: 3}, DEVICE)


def test_transfer_syntaxes_are_counted_each(node: Node, clockwork: Clockwork) -> None:
    entity = AE(DEVICE)
    entity.add_requested_context(RAW_DATA, ImplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", node.port, ae_title="ARCUATE")
    dataset = Dataset()
    values = {"SOPInstanceUID": "1.2.7", "SeriesInstanceUID": "1.2.6", "StudyInstanceUID": "1.2.5"}
    for keyword, value in {**_MAKE, **values, "PatientID": "P1"}.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = Dataset()  # type: ignore[assignment]
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    assert association.send_c_store(dataset).Status == 0
    association.release()

    _follow(node, clockwork)

    [device] = _devices(node.database)
    assert device.transfer_syntaxes == {ImplicitVRLittleEndian: 1}
    assert device.station_name == "ROOM2"


def test_devices_behind_one_peer_are_told_apart(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    """A PACS that sends for several: by serial number, or by station name without one."""
    _send(
        node,
        tmp_path,
        {"StationName": "ROOM2"},
        {"StationName": "ROOM3"},
        {"DeviceSerialNumber": "SN-2"},
        {"DeviceSerialNumber": None, "StationName": "ROOM4"},
        {"DeviceSerialNumber": None, "StationName": "ROOM5"},
    )

    _follow(node, clockwork)

    seen = {(row.serial_number, row.station_key): row for row in _devices(node.database)}
    assert set(seen) == {("SN-1", ""), ("SN-2", ""), ("", "ROOM4"), ("", "ROOM5")}
    assert (seen["SN-1", ""].objects, seen["SN-1", ""].station_name) == (2, "ROOM3")


def test_object_that_names_no_device_makes_none(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    nameless = dict.fromkeys(
        ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "StationName")
    )
    _send(node, tmp_path, nameless)

    _follow(node, clockwork)

    assert _devices(node.database) == []
    assert _peer(node.database).objects == 1


def test_device_of_names_beyond_any_length_is_seen_by_their_beginning(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    """Together they would be longer than an index of PostgreSQL takes."""
    names = {
        keyword: "".join(random.Random(keyword).choices(ascii_letters, k=1000))  # noqa: S311
        for keyword in ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber")
    }
    with config.disable_value_validation():
        _send(node, tmp_path, names)

    _follow(node, clockwork)

    [device] = _devices(node.database)
    assert [device.manufacturer, device.model, device.serial_number] == [
        name[:64] for name in names.values()
    ]


def _taken(ago: timedelta, offset: str | None = "+0000") -> dict[str, object]:
    at = datetime.now(UTC) - ago
    return {"AcquisitionDateTime": f"{at:%Y%m%d%H%M%S}", "TimezoneOffsetFromUTC": offset}


@pytest.mark.parametrize(
    ("ago", "state"),
    [
        (timedelta(seconds=30), ClockState.PLAUSIBLE),
        (timedelta(hours=-3), ClockState.AHEAD),
        (timedelta(days=300), ClockState.PLAUSIBLE),
    ],
)
def test_clock_of_a_device_is_seen_in_its_objects(
    node: Node, clockwork: Clockwork, tmp_path: Path, ago: timedelta, state: ClockState
) -> None:
    _send(node, tmp_path, _taken(ago), _taken(ago + timedelta(hours=5)))

    _follow(node, clockwork)

    [device] = _devices(node.database)
    finding = judge_clock(device.clock_days)
    assert (finding.state, device.names_zone) == (state, True)
    assert finding.offset_seconds == pytest.approx(-ago.total_seconds(), abs=60)


def test_last_of_the_times_of_an_object_is_the_witness(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    """Taken in the morning, sent at night, and made into an object just before."""
    made = datetime.now(UTC)
    created = {
        "InstanceCreationDate": f"{made:%Y%m%d}",
        "InstanceCreationTime": f"{made:%H%M%S.%f}",
    }
    _send(node, tmp_path, {**_taken(timedelta(hours=9)), **created})

    _follow(node, clockwork)

    [device] = _devices(node.database)
    assert judge_clock(device.clock_days).offset_seconds == pytest.approx(0, abs=60)


@pytest.mark.parametrize(
    "values",
    [
        {"AcquisitionDateTime": "2026"},
        {"AcquisitionDateTime": None},
        {},
        # What devices write that know none.
        {"AcquisitionDate": "00010101", "AcquisitionTime": "000000"},
        {"AcquisitionDateTime": "99991231235959", "TimezoneOffsetFromUTC": "-1200"},
    ],
)
def test_object_without_a_time_tells_nothing_of_the_clock(
    node: Node, clockwork: Clockwork, tmp_path: Path, values: dict[str, object]
) -> None:
    _send(node, tmp_path, values)

    _follow(node, clockwork)

    [device] = _devices(node.database)
    assert judge_clock(device.clock_days).state is ClockState.UNKNOWN


def test_object_whose_bytes_are_gone_is_counted_all_the_same(clockwork: Clockwork) -> None:
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1), is_model_input=False)

    clockwork.work()

    assert _peer(clockwork.database).objects == 1


def _expect(database: Database, every: str = "24h", days: str = "") -> None:
    with database.transaction() as session:
        peer = add_peer(session, DEVICE, rhythm=ExpectedRhythm(every, days))
        peer.added_at = clock_start()


def clock_start() -> datetime:
    """A Friday noon."""
    return datetime(2026, 11, 27, 12, tzinfo=UTC)


def _told(database: Database) -> list[tuple[str, str]]:
    kinds = (ChangeKind.DEVICE_SILENT, ChangeKind.DEVICE_BACK)
    statement = select(ChangeRow).where(col(ChangeRow.kind).in_(kinds))
    with database.reading() as session:
        rows = session.exec(statement.order_by(col(ChangeRow.number))).all()
    return [(row.kind, row.subject) for row in rows]


def test_silence_is_told_once_and_so_is_its_end(clockwork: Clockwork) -> None:
    _expect(clockwork.database)
    clockwork.now = clock_start()
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1), clockwork.now, is_model_input=False)

    clockwork.work(timedelta(hours=23))
    in_time = _told(clockwork.database)
    for _ in range(3):
        clockwork.work(timedelta(hours=1))
    silent = _told(clockwork.database)
    with clockwork.database.reading() as session:
        since = session.get_one(PeerRow, DEVICE).silent_since
    with clockwork.database.transaction() as session:
        arrive(session, source_of(2), clockwork.now, is_model_input=False)
    for _ in range(3):
        clockwork.work()

    assert in_time == []
    assert silent == [("device_silent", DEVICE)]
    assert since == clock_start() + timedelta(hours=24)
    assert _told(clockwork.database) == [("device_silent", DEVICE), ("device_back", DEVICE)]
    with clockwork.database.reading() as session:
        assert session.get_one(PeerRow, DEVICE).silent_since is None


def test_peer_that_never_sent_counts_from_its_adding(clockwork: Clockwork) -> None:
    _expect(clockwork.database)
    clockwork.now = clock_start() + timedelta(hours=24)

    clockwork.work()

    assert _told(clockwork.database) == [("device_silent", DEVICE)]


def test_echo_ends_no_silence(node: Node, clockwork: Clockwork) -> None:
    """A device that answers and sends nothing is what the alarm is for."""
    _expect(node.database)
    echo(node.address, DEVICE)

    clockwork.now = max(utc_now(), clock_start() + timedelta(days=2))
    _follow(node, clockwork)

    assert _told(node.database) == [("device_silent", DEVICE)]


def test_peer_of_which_nothing_is_expected_any_more_is_back(clockwork: Clockwork) -> None:
    _expect(clockwork.database)
    clockwork.now = clock_start() + timedelta(days=3)
    clockwork.work()
    with clockwork.database.transaction() as session:
        add_peer(session, DEVICE, rhythm=ExpectedRhythm("never"))

    clockwork.work()

    assert _told(clockwork.database) == [("device_silent", DEVICE), ("device_back", DEVICE)]


def test_adding_a_peer_again_leaves_what_is_expected_of_it(database: Database) -> None:
    _expect(database, "8h", "mon-fri")

    with database.transaction() as session:
        peer = add_peer(session, DEVICE, "127.0.0.1", 104)

    assert (peer.expect_every_seconds, peer.expect_days) == (8 * 3600, "mon-fri")
