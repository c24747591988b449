"""Sending spans to an OpenTelemetry collector; the one place that knows the library."""

import importlib.metadata
import logging
import socket
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from core.errors import SettingsInvalid
from core.tracing.spans import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_PATH: Final = "/v1/traces"
_PATIENCE_SECONDS: Final = 5.0


class SpanSender:
    """Sends spans by OTLP over HTTP.

    Parameters
    ----------
    endpoint
        Base URL of the collector, as `http://collector:4318`.

    Raises
    ------
    SettingsInvalid
        If the library is not installed.
    """

    def __init__(self, endpoint: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise SettingsInvalid(
                "otlp_endpoint needs the extra `trace` (opentelemetry-sdk and "
                "opentelemetry-exporter-otlp-proto-http): install it, or leave the setting out"
            ) from error
        # What it cannot send we say ourselves, without the address it failed at.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        address = endpoint.rstrip("/").removesuffix(_PATH) + _PATH
        self._exporter = OTLPSpanExporter(endpoint=address, timeout=_PATIENCE_SECONDS)
        version = importlib.metadata.version("arcuate")
        self._resource = Resource(
            {
                "service.name": "arcuate",
                "service.version": version,
                "host.name": socket.gethostname(),
            }
        )

    def send(self, spans: Sequence[Span]) -> bool:
        """Send spans; whether the collector took them."""
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415 - an extra

        sent = self._exporter.export([self._readable(span) for span in spans])
        return sent is SpanExportResult.SUCCESS

    def close(self) -> None:
        """End its connections."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _readable(self, span: Span) -> "ReadableSpan":
        from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415 - an extra
        from opentelemetry.trace import (  # noqa: PLC0415 - an extra
            SpanContext,
            SpanKind,
            Status,
            StatusCode,
            TraceFlags,
        )

        def context(span_id: int) -> SpanContext:
            flags = TraceFlags(TraceFlags.SAMPLED)
            return SpanContext(span.trace_id, span_id, is_remote=False, trace_flags=flags)

        return ReadableSpan(
            span.name,
            context=context(span.span_id),
            parent=None if span.parent_id is None else context(span.parent_id),
            resource=self._resource,
            attributes=dict(span.attributes),
            kind=SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.OK),
            start_time=_nanoseconds(span.begin),
            end_time=_nanoseconds(span.end),
        )


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000
