"""Sightings: when each peer and each device was last heard of, and with what."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class PeerSightingRow(SQLModel, table=True):
    """What an application entity did here. Counts are of objects, by UID."""

    __tablename__ = "peer_sightings"

    ae_title: str = Field(primary_key=True)
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_association_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_echo_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_object_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_address: str = ""
    associations: int = 0
    objects: int = 0
    sop_classes: dict[str, int] = Field(default_factory=dict, sa_type=JsonValue)
    transfer_syntaxes: dict[str, int] = Field(default_factory=dict, sa_type=JsonValue)


class DeviceRow(SQLModel, table=True):
    """The equipment objects come from, as they name it.

    A device with a serial number is known by it; one without by its station name, which is then
    its `station_key`. `clock_days` holds the smallest time from taking to receiving of each day it
    last sent on, seconds by day (YYYY-MM-DD); `names_zone` whether its objects name their time
    zone.
    """

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("manufacturer", "model", "serial_number", "station_key"),)

    id: int | None = Field(default=None, primary_key=True)
    manufacturer: str
    model: str
    serial_number: str
    station_key: str = ""
    station_name: str = ""
    institution_name: str = ""
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_ae_title: str = ""
    objects: int = 0
    sop_classes: dict[str, int] = Field(default_factory=dict, sa_type=JsonValue)
    transfer_syntaxes: dict[str, int] = Field(default_factory=dict, sa_type=JsonValue)
    clock_days: dict[str, float] = Field(default_factory=dict, sa_type=JsonValue)
    names_zone: bool = False
