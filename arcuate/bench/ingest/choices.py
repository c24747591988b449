"""What can be chosen for a measurement; light, because the command line reads it each time."""

from enum import StrEnum


class WorkloadName(StrEnum):
    """The loads by their letter."""

    CIRCLES = "a"
    VOLUMES = "b"
    LARGE_VOLUMES = "c"
    PHOTOGRAPHS = "d"


class PeerName(StrEnum):
    """Who is measured beside us; some in more than one way."""

    ORTHANC = "orthanc"
    QRSCP = "qrscp"
    STORESCP = "storescp"
    #: The bytes alone, written to files by as many threads, with and without sync.
    WRITE = "write"
    #: Ourselves with syncs that do nothing.
    UNSYNCED = "unsynced"


class DatabaseKind(StrEnum):
    """Where we, and the peers that can, keep the index."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
