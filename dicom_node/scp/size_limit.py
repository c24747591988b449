"""The bound on what a message other than a C-STORE may hold in memory while it arrives.

pynetdicom gathers a data set of any length before it asks us. What goes beyond the limit is
dropped as it comes, so that the association goes on. Stores do not pass here.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Final

from pynetdicom.events import Event

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: A query, or a list of instances whose commitment is asked for, is far below it.
MAXIMUM_DATA_SET_BYTES: Final = 4 << 20


class DroppedDataSet(BytesIO):
    """Stands for a data set that was too large: it takes everything and keeps nothing."""

    def write(self, fragment: "ReadableBuffer", /) -> int:
        """Drop a fragment."""
        return memoryview(fragment).nbytes


def handle_pdu(event: Event) -> None:
    """Drop the data set that is arriving once it is larger than any message needs."""
    message = event.assoc.dimse.message
    if message is None or message.data_set is None:
        return
    if message.data_set.tell() > MAXIMUM_DATA_SET_BYTES:
        message.data_set = DroppedDataSet()
