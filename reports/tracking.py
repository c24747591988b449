"""How a place of a field is followed from visit to visit."""

from highdicom.sr import TrackingIdentifier

from core.values.prediction import Prediction
from reports.identifiers import tracking_uid


def tracking_identifier(prediction: Prediction, location: str) -> TrackingIdentifier:
    """Return the identifier of this place of this eye, with the UID it has on every visit."""
    eye = prediction.laterality.value if prediction.laterality else "eye unknown"
    uid = tracking_uid(prediction.patient, prediction.source, prediction.laterality, location)
    joint = "-" if location == "global" else " "
    return TrackingIdentifier(uid=uid, identifier=f"VF24-2-{eye}{joint}{location}")
