"""What can be chosen for a measurement; light, because the command line reads it each time."""

from enum import StrEnum


class QueryPeer(StrEnum):
    """Who is asked beside us."""

    ORTHANC = "orthanc"
