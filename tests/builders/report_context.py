"""What is known around a prediction, for reports in tests."""

from datetime import timedelta
from typing import Any

from core.values.prediction import ModelIdentity, Prediction
from core.values.report_context import EarlierEstimate, KeptReport


def build_earlier(
    prediction: Prediction, days: float, mean_deviation_db: float, **changes: Any
) -> EarlierEstimate:
    """Return an estimate of the same eye so many days before, by the same model and device."""
    assert prediction.acquired_at is not None
    return EarlierEstimate(
        prediction.acquired_at - timedelta(days=days),
        mean_deviation_db,
        changes.get("model", prediction.model),
        changes.get("device", prediction.device),
        changes.get("scan_kind", prediction.scan_kind),
    )


def older_version(prediction: Prediction, version: str) -> ModelIdentity:
    """Return the same model in another version."""
    return ModelIdentity(prediction.model.name, version, f"sha256:{version}")


def build_kept_report(kind: str = "sr", **changes: str) -> KeptReport:
    """Return a report that is kept in the study of the prediction of tests."""
    classes = {
        "sr": "1.2.840.10008.5.1.4.1.1.88.34",
        "pdf": "1.2.840.10008.5.1.4.1.1.104.1",
        "text": "1.2.840.10008.5.1.4.1.1.88.22",
        "sc": "1.2.840.10008.5.1.4.1.1.7",
    }
    values = {
        "study_instance_uid": "2.25.101",
        "series_instance_uid": f"2.25.900{len(kind)}",
        "sop_class_uid": classes[kind],
        "sop_instance_uid": f"2.25.901{len(kind)}",
    }
    return KeptReport(kind, **{**values, **changes})
