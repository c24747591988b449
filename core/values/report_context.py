"""What a report of one eye tells beside its own prediction, as it is known when it is built."""

from dataclasses import dataclass
from datetime import datetime

from core.values.prediction import ModelIdentity, Prediction
from core.values.scan import Device, ScanKind


@dataclass(frozen=True)
class EarlierEstimate:
    """One point of a trend: an estimate of the same eye by a model of the same name.

    Attributes
    ----------
    mean_deviation_db
        A number, never NaN.
    scan_kind
        None where the record does not say.
    """

    acquired_at: datetime
    mean_deviation_db: float
    model: ModelIdentity
    device: Device
    scan_kind: ScanKind | None


@dataclass(frozen=True)
class KeptReport:
    """A report that is kept, as another refers to it; `kind` as rows and URLs spell it."""

    kind: str
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True)
class ReportContext:
    """What is known around a prediction.

    Attributes
    ----------
    other_eye
        The result that counts for the other eye of the same study; None where there is none yet.
    earlier
        Earlier estimates of this eye, the oldest first.
    predecessors
        Reports of the predictions that this one replaced.
    """

    other_eye: Prediction | None = None
    earlier: tuple[EarlierEstimate, ...] = ()
    predecessors: tuple[KeptReport, ...] = ()

    def predecessors_of_kind(self, kind: str) -> tuple[KeptReport, ...]:
        """Return the replaced reports of one kind."""
        return tuple(report for report in self.predecessors if report.kind == kind)


#: What a report is built with where nothing else is known.
NO_CONTEXT = ReportContext()
