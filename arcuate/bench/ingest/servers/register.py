"""The receivers that are measured, in the order of the table."""

from dataclasses import replace

from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.servers.arcuate_receive import ArcuateReceive, Bucket
from arcuate.bench.ingest.servers.contestant import Contestant
from arcuate.bench.ingest.servers.orthanc import Orthanc
from arcuate.bench.ingest.servers.plain_write import PlainWrite
from arcuate.bench.ingest.servers.qrscp import Qrscp
from arcuate.bench.ingest.servers.storescp import Storescp


def ourselves(database: BenchDatabase, bucket: Bucket | None = None) -> tuple[Contestant, ...]:
    """Return our receiver as a node runs it, and with a bucket in both ways."""
    here = ArcuateReceive(database)
    if bucket is None:
        return (here,)
    ways = (replace(bucket, is_buffered=is_buffered) for is_buffered in (False, True))
    return here, *(ArcuateReceive(database, bucket=way) for way in ways)


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
