"""From a change to what goes over the wire; the format is that of the HTML standard."""

from fastapi.sse import format_sse_event

from api.schemas.operations import ChangeOut
from core.tables.changes import ChangeRow


def encode_change(row: ChangeRow) -> bytes:
    """Return a change as an event; its id is the change's number."""
    data = ChangeOut.model_validate(row).model_dump_json()
    return format_sse_event(data_str=data, id=str(row.number))


def encode_position(number: int, comment: str, retry_ms: int | None = None) -> bytes:
    """Return what tells a client how far it is, without being an event of its own.

    An event without data is not dispatched, but its id is kept: whoever loses the connection
    before the first event comes back with it, and misses nothing.
    """
    return format_sse_event(comment=comment, id=str(number), retry=retry_ms)
