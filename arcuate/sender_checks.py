"""Check of who sends: silent peers, and devices whose clocks are wrong."""

from typing import Final

from arcuate.finding import Finding, Health
from arcuate.node import database_exists, open_node
from core.clock import utc_now
from core.device_clock import ClockState, judge_clock
from core.peer_sightings import list_devices, silent_peers
from core.settings import Settings
from core.tables.sightings import DeviceRow

_CHECK: Final = "senders"


def check_senders(settings: Settings) -> Finding:
    """Look whether every peer keeps its rhythm, and every device's clock is plausible."""
    if not database_exists(settings):
        return Finding(_CHECK, Health.NOTE, "no database yet", "`arcuate up` makes it.")
    node = open_node(settings)
    try:
        with node.database.reading() as session:
            silent = [peer.row.ae_title for peer in silent_peers(session, utc_now())]
            devices = list_devices(session)
    finally:
        node.database.close()
    if silent:
        found = f"silent for longer than expected: {', '.join(silent)}"
        remedy = "Look at the device's send queue and its network; `arcuate peers list` says when."
        return Finding(_CHECK, Health.WRONG, found, remedy)
    clocks = [(row, judge_clock(row.clock_days).state) for row in devices]
    ahead = [_name(row) for row, state in clocks if state is ClockState.AHEAD]
    if ahead:
        found = f"clock ahead of ours: {', '.join(ahead)}"
        return Finding(_CHECK, Health.NOTE, found, "Set clock and time zone of the device, by NTP.")
    late = sum(state is ClockState.LATE_OR_BEHIND for _, state in clocks)
    found = f"{len(devices)} devices seen, none silent, {late} send late"
    return Finding(_CHECK, Health.GOOD, found)


def _name(row: DeviceRow) -> str:
    parts = (row.manufacturer, row.model, row.serial_number or row.station_name)
    return " ".join(filter(None, parts))
