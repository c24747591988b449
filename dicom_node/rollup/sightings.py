"""Who was seen: each peer by its associations and objects, each device by its objects."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from core.device_clock import note_difference
from core.tables.associations import EndedAssociationRow
from core.tables.sightings import DeviceRow, PeerSightingRow
from dicom_node.rollup.news import Arrived
from dicom_node.rollup.origin import Origin, read_origin
from dicom_node.storage.bytes import Storage

#: Files opened for the objects of one batch.
_MOST_FILES: Final = 64
#: LO has 64 characters (PS3.5 table 6.2-1). What an index of PostgreSQL holds has a bound, too, and
#: one object that went beyond it would stop the roll-up of all.
_LONGEST_NAME: Final = 64
#: What tells one device from another, as `DeviceRow` says.
_Identity = tuple[str, str, str, str]


def read_origins(storage: Storage, arrived: Sequence[Arrived]) -> dict[int, Origin]:
    """Return where the objects of each series come from, by the series' key.

    One object of a series is opened, the last: devices write the rest alike.
    """
    last = {one.series_key: one for one in arrived}
    some = list(last.values())[-_MOST_FILES:]
    return {one.series_key: read_origin(storage, one.storage_key) for one in some}


def note_objects(
    session: Session, arrived: Sequence[Arrived], origins: Mapping[int, Origin]
) -> None:
    """Record the peers that sent and the devices that made what arrived."""
    by_peer: dict[str, list[Arrived]] = defaultdict(list)
    by_device: dict[_Identity, list[Arrived]] = defaultdict(list)
    for one in arrived:
        by_peer[one.calling_ae_title].append(one)
        by_device[_identity_of(one, origins.get(one.series_key, Origin()))].append(one)
    for ae_title in sorted(filter(None, by_peer)):
        _note_sent(session, ae_title, by_peer[ae_title])
    for identity in sorted(by_device):
        if any(identity):
            _note_made(session, identity, by_device[identity], origins)


def note_associations(session: Session, ends: Sequence[EndedAssociationRow]) -> None:
    """Record the peers that had an association."""
    for end in sorted(ends, key=lambda end: (end.calling_ae_title, end.ended_at)):
        peer = _peer(session, end.calling_ae_title, end)
        peer.associations += 1
        peer.last_association_at, peer.last_address = end.ended_at, end.address
        if end.echoed:
            peer.last_echo_at = end.ended_at


def _note_sent(session: Session, ae_title: str, arrived: Sequence[Arrived]) -> None:
    peer = _peer(session, ae_title, arrived[0])
    peer.objects += len(arrived)
    peer.last_object_at = max(filter(None, (peer.last_object_at, *_times(arrived))))
    peer.sop_classes = _counted(peer.sop_classes, (one.sop_class_uid for one in arrived))
    peer.transfer_syntaxes = _counted(
        peer.transfer_syntaxes, (one.transfer_syntax_uid for one in arrived)
    )


def _peer(session: Session, ae_title: str, seen: EndedAssociationRow | Arrived) -> PeerSightingRow:
    at = seen.began_at if isinstance(seen, EndedAssociationRow) else seen.received_at
    peer = session.get(PeerSightingRow, ae_title)
    if peer is None:
        peer = PeerSightingRow(ae_title=ae_title, first_seen_at=at)
        session.add(peer)
    peer.first_seen_at = min(peer.first_seen_at, at)
    return peer


def _note_made(
    session: Session,
    identity: _Identity,
    arrived: Sequence[Arrived],
    origins: Mapping[int, Origin],
) -> None:
    device = _device(session, identity, arrived)
    device.objects += len(arrived)
    device.last_seen_at = max(device.last_seen_at, *_times(arrived))
    device.last_ae_title = arrived[-1].calling_ae_title
    device.sop_classes = _counted(device.sop_classes, (one.sop_class_uid for one in arrived))
    device.transfer_syntaxes = _counted(
        device.transfer_syntaxes, (one.transfer_syntax_uid for one in arrived)
    )
    # The object that was opened is the last of its series.
    for one in {one.series_key: one for one in arrived}.values():
        if one.series_key in origins:
            _note_origin(device, one, origins[one.series_key])


def _note_origin(device: DeviceRow, one: Arrived, origin: Origin) -> None:
    device.station_name = origin.station_name or device.station_name
    device.institution_name = origin.institution_name or device.institution_name
    if origin.taken_at is not None:
        seconds = (one.received_at - origin.taken_at).total_seconds()
        device.clock_days = note_difference(device.clock_days, one.received_at.date(), seconds)
        device.names_zone = origin.names_zone


def _device(session: Session, identity: _Identity, arrived: Sequence[Arrived]) -> DeviceRow:
    manufacturer, model, serial_number, station_key = identity
    statement = select(DeviceRow).where(
        col(DeviceRow.manufacturer) == manufacturer,
        col(DeviceRow.model) == model,
        col(DeviceRow.serial_number) == serial_number,
        col(DeviceRow.station_key) == station_key,
    )
    device = session.exec(statement).first()
    if device is None:
        first = min(_times(arrived))
        device = DeviceRow(
            manufacturer=manufacturer,
            model=model,
            serial_number=serial_number,
            station_key=station_key,
            first_seen_at=first,
            last_seen_at=first,
        )
        session.add(device)
    return device


def _identity_of(one: Arrived, origin: Origin) -> _Identity:
    station = "" if one.serial_number else origin.station_name
    maker, model, serial_number, station_key = (
        text[:_LONGEST_NAME] for text in (one.manufacturer, one.model, one.serial_number, station)
    )
    return maker, model, serial_number, station_key


def _times(arrived: Iterable[Arrived]) -> list[datetime]:
    return [one.received_at for one in arrived]


def _counted(counts: Mapping[str, int], uids: Iterable[str]) -> dict[str, int]:
    counted = dict(counts)
    for uid in uids:
        counted[uid] = counted.get(uid, 0) + 1
    return counted
