"""Peers and devices as JSON: who may send, what was seen of each, and whether all is well."""

from pydantic import BaseModel, Field

from api.schemas.peers import EchoOut, echo_json
from api.schemas.values import Moment
from core.device_clock import ClockState, judge_clock
from core.peer_sightings import KnownPeer
from core.tables.peers import PeerEchoRow
from core.tables.sightings import DeviceRow

_COUNTS = "Number of objects by UID."


class PeerOut(BaseModel):
    """An application entity that may call, with what was seen of it."""

    ae_title: str
    host: str
    port: int | None
    description: str
    certificate_sha256: str | None
    tls: bool = Field(description="Whether its port is called over TLS.")
    added_at: Moment
    first_seen_at: Moment | None
    last_seen_at: Moment | None = Field(description="When it asked for an association last.")
    last_association_at: Moment | None = Field(description="When its last one ended.")
    last_echo_at: Moment | None
    last_object_at: Moment | None
    associations: int
    objects: int
    sop_classes: dict[str, int] = Field(description=_COUNTS)
    transfer_syntaxes: dict[str, int] = Field(description=_COUNTS)
    expect_every_seconds: int | None = Field(description="Longest time without an object; or null.")
    expect_days: str = Field(description="Days that count, as `mon-fri`; empty: all.")
    silent_since: Moment | None = Field(description="When that time was up; null: all is well.")
    echo: EchoOut | None = Field(description="The last time somebody asked whether it answers.")


class ClockOut(BaseModel):
    """What a device's objects say of its clock."""

    state: ClockState
    ahead_seconds: float | None = Field(
        description="How far it is ahead at least; negative: how long objects take to come here, "
        "or how far it is behind."
    )
    looks_like_zone: bool = Field(description="Whether another time zone would explain it.")
    names_zone: bool = Field(description="Whether its objects name their time zone.")


class DeviceOut(BaseModel):
    """Equipment that objects came from, as they name it."""

    id: int
    manufacturer: str
    model: str
    serial_number: str
    station_name: str
    institution_name: str
    first_seen_at: Moment
    last_seen_at: Moment
    last_ae_title: str = Field(description="The peer that sent its last object.")
    objects: int
    sop_classes: dict[str, int] = Field(description=_COUNTS)
    transfer_syntaxes: dict[str, int] = Field(description=_COUNTS)
    clock: ClockOut


def peer_of(peer: KnownPeer, echo: PeerEchoRow | None = None) -> PeerOut:
    """Return a peer as JSON."""
    seen = {} if peer.sighting is None else peer.sighting.model_dump()
    return PeerOut(
        **peer.row.model_dump(exclude={"silent_since"}),
        first_seen_at=seen.get("first_seen_at"),
        last_association_at=seen.get("last_association_at"),
        last_echo_at=seen.get("last_echo_at"),
        last_object_at=seen.get("last_object_at"),
        associations=seen.get("associations", 0),
        objects=seen.get("objects", 0),
        sop_classes=seen.get("sop_classes", {}),
        transfer_syntaxes=seen.get("transfer_syntaxes", {}),
        silent_since=peer.silent_since,
        echo=echo_json(echo),
    )


def device_of_row(row: DeviceRow) -> DeviceOut:
    """Return a device as JSON."""
    finding = judge_clock(row.clock_days)
    clock = ClockOut(
        state=finding.state,
        ahead_seconds=finding.offset_seconds,
        looks_like_zone=finding.looks_like_zone,
        names_zone=row.names_zone,
    )
    return DeviceOut.model_validate({**row.model_dump(), "clock": clock})
