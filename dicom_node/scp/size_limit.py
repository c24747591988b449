"""The bound on what one message may hold in memory, kept while its fragments arrive.

pynetdicom gathers a data set of any length before it asks us. What goes beyond the limit is
dropped as it comes, so that the peer still hears a status and the association goes on.
"""

from io import BytesIO
from typing import TYPE_CHECKING

from pynetdicom.events import Event

from dicom_node.storage.archive import Archive

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class DroppedDataSet(BytesIO):
    """Stands for a data set that was too large: it takes everything and keeps nothing."""

    def write(self, fragment: "ReadableBuffer", /) -> int:
        """Drop a fragment."""
        return memoryview(fragment).nbytes


def handle_pdu(event: Event, archive: Archive) -> None:
    """Drop the data set that is arriving once it is larger than any we keep."""
    message = event.assoc.dimse.message
    if message is None or message.data_set is None:
        return
    if message.data_set.tell() > archive.maximum_object_bytes:
        message.data_set = DroppedDataSet()
