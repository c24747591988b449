"""Checks of the places results are sent to."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from arcuate.finding import Finding, Health
from arcuate.node import Node, database_exists, open_node
from core.deliveries.overview import Overview, list_overviews
from core.errors import NodeError
from core.settings import Settings
from dicom_node.delivery.outbox import destination_of
from dicom_node.delivery.targets.register import find_target
from dicom_node.delivery.targets.target import Tools

_CHECK: Final = "destinations"
#: Destinations asked at a time: one that is away costs its time-out.
_AT_ONCE: Final = 16
#: An administrator who asks does not wait for long.
_PATIENCE_SECONDS: Final = 10.0


def check_destinations(settings: Settings) -> Finding:
    """Ask each destination whether it answers, and tell what waits or was given up."""
    if not database_exists(settings):
        return Finding(_CHECK, Health.NOTE, "no database yet", "`arcuate up` makes it.")
    node = open_node(settings)
    try:
        with node.database.reading() as session:
            known = list_overviews(session)
        if not known:
            found = "results are sent nowhere"
            return Finding(_CHECK, Health.GOOD, found, "`arcuate destinations add` changes that.")
        return _judge(known, _ask_all(node, known))
    finally:
        node.database.close()


def _ask_all(node: Node, known: Sequence[Overview]) -> list[str]:
    patience = min(node.settings.delivery_answer_seconds, _PATIENCE_SECONDS)
    settings = node.settings.model_copy(update={"delivery_answer_seconds": patience})
    tools = Tools(settings, node.database)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(partial(_ask, tools=tools), known))


def _ask(overview: Overview, tools: Tools) -> str:
    """Return what is wrong with a destination, empty where nothing is."""
    row = overview.row
    waiting = f", {overview.waiting} deliveries wait" if overview.waiting else ""
    if not row.enabled:
        return f"{row.name} is disabled{waiting}" if overview.waiting else ""
    try:
        find_target(row.kind).probe(destination_of(row), tools)
    except NodeError as error:
        return f"{row.name} is down: {error}{waiting}"
    return f"{overview.gave_up} to {row.name} were given up" if overview.gave_up else ""


def _judge(known: Sequence[Overview], faults: Sequence[str]) -> Finding:
    told = [fault for fault in faults if fault]
    waiting = sum(overview.waiting for overview in known)
    if not told:
        found = f"{len(known)} known, all that are enabled answer, {waiting} deliveries wait"
        return Finding(_CHECK, Health.GOOD, found)
    remedy = "`arcuate destinations list`; `arcuate deliveries list --state gave_up`, then retry."
    return Finding(_CHECK, Health.WRONG, "; ".join(told), remedy)
