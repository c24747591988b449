"""What can be chosen of the measurement of retrieving."""

from enum import StrEnum


class RetrievePeer(StrEnum):
    """Who is measured beside us."""

    ORTHANC = "orthanc"
