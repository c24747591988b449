"""The receivers that are measured, in the order of the table."""

from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.servers.arcuate_receive import ArcuateReceive
from arcuate.bench.ingest.servers.contestant import Contestant
from arcuate.bench.ingest.servers.orthanc import Orthanc
from arcuate.bench.ingest.servers.plain_write import PlainWrite
from arcuate.bench.ingest.servers.qrscp import Qrscp
from arcuate.bench.ingest.servers.storescp import Storescp


def ourselves(database: BenchDatabase) -> Contestant:
    """Return our receiver as a node runs it."""
    return ArcuateReceive(database)


def peers(database: BenchDatabase) -> tuple[Contestant, ...]:
    """Return every way in which others, or the disk alone, keep the same bytes."""
    return (
        ArcuateReceive(database, is_unsynced=True),
        Orthanc(database),
        Orthanc(database, has_no_delay=True),
        Qrscp(),
        Storescp(),
        Storescp(has_no_delay=True),
        PlainWrite(),
        PlainWrite(is_synced=False),
    )
