"""How values read on a page: for people, in the clinic's own time zone."""

from datetime import UTC, date, datetime
from math import isnan
from typing import Final

from core.tables.study_summaries import SettleCause
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.review import Amendment, ReviewDecision
from core.values.scan import Device, ScanKind
from reports.page_words import display_name

#: Shown where a value is unknown.
UNKNOWN: Final = "–"

_STATUS_WORDS: Final = {
    PredictionStatus.FINAL: "Estimated",
    PredictionStatus.NOT_ASSESSABLE: "Not assessable",
    PredictionStatus.FAILED: "Failed",
    PredictionStatus.SUPERSEDED: "Replaced",
}
_CAUSE_WORDS: Final = {
    SettleCause.QUIET_TIME: "nothing more came",
    SettleCause.ASSOCIATION_END: "the device ended its association",
    SettleCause.INSTANCE_AVAILABILITY: "a system notified that all is there",
    SettleCause.PROCEDURE_STEP: "the device said that it is done",
}
_DECISION_WORDS: Final = {
    ReviewDecision.ACCEPT: "Accepted",
    ReviewDecision.REJECT: "Rejected",
    ReviewDecision.AMEND: "Amended",
}
_EYE_WORDS: Final = {
    Laterality.RIGHT: "Right eye (OD)",
    Laterality.LEFT: "Left eye (OS)",
    None: "Eye unknown",
}

_PICTURE_WORDS: Final = {
    ScanKind.CIRCLE: "B-scan along the circle around the optic disc",
    ScanKind.VOLUME: "B-scan along a circle around the optic disc, put together from the volume",
    ScanKind.THICKNESS_MAP: (
        "Nerve fibre layer as the device measured it: bright is thick, black has no value"
    ),
    ScanKind.FUNDUS: (
        "Photograph of the fundus. Drawn in: the edge of the optic disc and the outer end of the "
        "ring that was read"
    ),
    None: "The scan's picture",
}


def moment(value: datetime | None) -> str:
    """Return a moment in the node's time zone, to the minute."""
    return UNKNOWN if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M")


def day(value: datetime | date | None) -> str:
    """Return a day; that of a moment in the node's time zone."""
    if value is None:
        return UNKNOWN
    return f"{value.astimezone() if isinstance(value, datetime) else value:%Y-%m-%d}"


def iso(value: datetime) -> str:
    """Return a moment for the `datetime` attribute of a page."""
    return value.astimezone(UTC).isoformat(timespec="seconds")


def decibel(value: float | None) -> str:
    """Return a sensitivity to a tenth of a dB."""
    return UNKNOWN if value is None or isnan(value) else f"{value:.1f} dB"


def signed_decibel(value: float | None) -> str:
    """Return a deviation to a tenth of a dB, with its sign."""
    if value is None or isnan(value):
        return UNKNOWN
    # Adding 0 turns -0 into 0.
    rounded = round(value, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", "−").replace("+0.0", "0.0") + " dB"


def person(name: str) -> str:
    """Return a DICOM Person Name as people write it."""
    return display_name(name)


def eye(laterality: Laterality | None) -> str:
    """Return the eye in words and in the clinic's abbreviation."""
    return _EYE_WORDS[laterality]


def status(value: PredictionStatus) -> str:
    """Return how a scoring ended, in words."""
    return _STATUS_WORDS[value]


def device(value: Device) -> str:
    """Return maker and model of a device."""
    return " ".join(filter(None, (value.manufacturer, value.model))) or "Device unknown"


def picture(prediction: Prediction) -> str:
    """Return what the picture of the scan shows, for people who do not see it."""
    return _PICTURE_WORDS[prediction.scan_kind]


def quality(prediction: Prediction) -> str:
    """Return the quality of a scan in percent; one that could not be read was never judged."""
    return f"{prediction.quality_score * 100:.0f} %" if prediction.is_judged else UNKNOWN


def cause(value: SettleCause) -> str:
    """Return why a study was settled."""
    return _CAUSE_WORDS[value]


def decision(value: ReviewDecision) -> str:
    """Return what a review decided, in words."""
    return _DECISION_WORDS[value]


def amendment(value: Amendment) -> list[str]:
    """Return what a person said instead, in words, one sentence each."""
    said = []
    if value.assessable is not None:
        said.append("assessable" if value.assessable else "not assessable")
    if value.mean_deviation_db is not None:
        said.append(f"MD {signed_decibel(value.mean_deviation_db)}")
    if value.mean_sensitivity_db is not None:
        said.append(f"mean sensitivity {decibel(value.mean_sensitivity_db)}")
    if value.pattern_standard_deviation_db is not None:
        said.append(f"PSD {decibel(value.pattern_standard_deviation_db)}")
    return said


def years(age_years: float | None) -> str:
    """Return an age in whole years, as it is spoken."""
    return "age unknown" if age_years is None else f"{int(age_years)} years"
