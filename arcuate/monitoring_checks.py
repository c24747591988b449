"""Checks of what monitors are told, and by whom it can be read."""

import socket
from typing import Final
from urllib.parse import urlsplit

from arcuate.finding import Finding, Health
from core.settings import Settings, is_loopback
from core.tracing.otlp import SpanSender

_PATIENCE_SECONDS: Final = 2.0
_PORTS: Final = {"http": 80, "https": 443}


def check_metrics(settings: Settings) -> Finding:
    """Say who may read the metrics."""
    if settings.metrics_need_key:
        return Finding("metrics", Health.GOOD, "/metrics needs a key")
    if is_loopback(settings.http_host):
        return Finding("metrics", Health.GOOD, "/metrics is open on this machine")
    found = f"/metrics is open to whoever reaches {settings.http_host}; it names peers and devices"
    return Finding("metrics", Health.NOTE, found, "ARCUATE_METRICS_NEED_KEY=true asks for a key.")


def check_traces(settings: Settings) -> Finding:
    """Look whether traces can be sent, where they should be.

    Raises
    ------
    SettingsInvalid
        If the library is not installed.
    """
    if not settings.otlp_endpoint:
        return Finding("traces", Health.GOOD, "none are sent")
    SpanSender(settings.otlp_endpoint).close()
    parts = urlsplit(settings.otlp_endpoint)
    place = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    try:
        socket.create_connection(place, _PATIENCE_SECONDS).close()
    except OSError as error:
        found = f"the collector at {place[0]}:{place[1]} does not answer ({type(error).__name__})"
        remedy = "Start it, or leave ARCUATE_OTLP_ENDPOINT out; scans are scored all the same."
        return Finding("traces", Health.WRONG, found, remedy)
    return Finding("traces", Health.GOOD, f"a collector answers at {place[0]}:{place[1]}")
