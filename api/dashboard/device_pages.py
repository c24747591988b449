"""Who sends: devices with their clocks, and how many of their scans can be assessed."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.access import OPERATORS
from api.dashboard.gradability_view import gradability_view
from api.dashboard.peer_view import read_peers
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.clock import utc_now
from core.device_clock import ClockFinding, judge_clock
from core.monthly_figures import months_until
from core.peer_sightings import list_devices
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
    now = utc_now()
    # The newest first: it stands where no scrolling is needed.
    months = months_until(now)[::-1]
    with node.database.reading() as session:
        peers = read_peers(session, now)
        devices = list_devices(session)
    figures = node.monthly.read(months[::-1])
    return render(
        "devices.html",
        here="/devices",
        caller=caller,
        may_operate=OPERATORS.allows(caller),
        peers=peers,
        devices=[DeviceView(row, judge_clock(row.clock_days)) for row in devices],
        months=months,
        gradability=gradability_view(figures, months),
    )
