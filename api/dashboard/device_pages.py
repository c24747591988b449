"""Who sends: peers with their rhythm, devices with their clocks."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlmodel import col, select

from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.clock import utc_now
from core.device_clock import ClockFinding, judge_clock
from core.peer_sightings import list_devices, with_sightings
from core.tables.peers import PeerRow
from core.tables.sightings import DeviceRow

ROUTER: Final = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class DeviceView:
    """A device with what its objects say of its clock."""

    row: DeviceRow
    clock: ClockFinding


@ROUTER.get("/devices")
def show_devices(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show every known peer, and every device objects came from."""
    with node.database.reading() as session:
        rows = session.exec(select(PeerRow).order_by(col(PeerRow.ae_title))).all()
        peers = with_sightings(session, rows, utc_now())
        devices = list_devices(session)
    return render(
        "devices.html",
        here="/devices",
        caller=caller,
        peers=peers,
        devices=[DeviceView(row, judge_clock(row.clock_days)) for row in devices],
    )
