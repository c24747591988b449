"""Spans: stretches of one scan's way, with ids that follow from what they are about.

The trace of a scan is named by the digest of its content, so that every process and host names it
alike and nobody has to pass it on; no identifier of a patient goes into it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

_TRACE_BYTES: Final = 16
_SPAN_BYTES: Final = 8


@dataclass(frozen=True)
class Span:
    """One stretch.

    Attributes
    ----------
    name
        `receive`, `analyse`, `report` or `deliver`.
    digest
        SHA-256 of the scan's content: what names the trace.
    subject
        What tells it from other stretches of its name in the trace.
    attributes
        What is told of it; no patient, no UID of an object.
    error
        Why it ended badly, None where it ended well.
    """

    name: str
    digest: str
    subject: str
    begin: datetime
    end: datetime
    attributes: Mapping[str, str | int | float] = field(default_factory=dict)
    error: str | None = None

    @property
    def trace_id(self) -> int:
        """The trace, 128 bits."""
        return _number("trace", self.digest, _TRACE_BYTES)

    @property
    def span_id(self) -> int:
        """The span, 64 bits; the same when it is told once more."""
        return _number(self.name, f"{self.digest}:{self.subject}", _SPAN_BYTES)

    @property
    def parent_id(self) -> int | None:
        """The span of receiving, None for that itself."""
        if self.name == RECEIVE:
            return None
        return _number(RECEIVE, f"{self.digest}:", _SPAN_BYTES)


RECEIVE: Final = "receive"
ANALYSE: Final = "analyse"
REPORT: Final = "report"
DELIVER: Final = "deliver"


def _number(kind: str, text: str, length: int) -> int:
    # All zeros would mean that there is none.
    return int.from_bytes(hashlib.sha256(f"{kind}:{text}".encode()).digest()[:length], "big") or 1
