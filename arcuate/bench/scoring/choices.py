"""What can be chosen of the measurement of scoring."""

from enum import StrEnum


class ScoringPeer(StrEnum):
    """Who is measured beside us."""

    #: Orthanc, asked for its changes, and `model.predict` of Keras for each scan.
    PLAIN = "plain"
