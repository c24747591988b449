"""Keeping an instance that is held in memory, as small ones of our own are."""

from core.clock import Clock, utc_now
from dicom_node.storage.archive import Archive
from dicom_node.storage.incoming import Incoming
from dicom_node.storage.part10 import EncodedInstance
from dicom_node.storage.records import IngestOutcome


def ingest(archive: Archive, encoded: EncodedInstance, clock: Clock = utc_now) -> IngestOutcome:
    """Keep an instance; errors are those of `Incoming.keep`."""
    with Incoming(archive, encoded, clock=clock) as incoming:
        incoming.write(encoded.data_set)
        return incoming.keep()
