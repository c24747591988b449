"""How values read on a page: for people, in their language and the clinic's own time zone."""

from datetime import UTC, date, datetime
from math import isnan
from typing import Final, Protocol

from api.dashboard.translation import gettext, ngettext, to_translate
from core.tables.jobs import JobStatus
from core.tables.study_summaries import SettleCause
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.review import Amendment, ReviewDecision
from core.values.scan import Device, ScanKind
from reports.page_words import display_name
from reports.scan_words import kind_words
from reports.scan_words import quality_name as quality_name_of_reports

#: Shown where a value is unknown.
UNKNOWN: Final = "–"

_STATUS_WORDS: Final = {
    PredictionStatus.FINAL: to_translate("Estimated"),
    PredictionStatus.NOT_ASSESSABLE: to_translate("Not assessable"),
    PredictionStatus.FAILED: to_translate("Failed"),
    PredictionStatus.SUPERSEDED: to_translate("Replaced"),
}
_WAITING_WORDS: Final = {
    JobStatus.QUEUED: to_translate("Waiting"),
    JobStatus.RUNNING: to_translate("Being analysed"),
}
_CAUSE_WORDS: Final = {
    SettleCause.QUIET_TIME: to_translate("nothing more came"),
    SettleCause.IDENTITY_CHANGED: to_translate("given to another patient"),
    SettleCause.ASSOCIATION_END: to_translate("the device ended its association"),
    SettleCause.INSTANCE_AVAILABILITY: to_translate("a system notified that all is there"),
    SettleCause.PROCEDURE_STEP: to_translate("the device said that it is done"),
}
_DECISION_WORDS: Final = {
    ReviewDecision.ACCEPT: to_translate("Accepted"),
    ReviewDecision.REJECT: to_translate("Rejected"),
    ReviewDecision.AMEND: to_translate("Amended"),
}
_EYE_WORDS: Final = {
    Laterality.RIGHT: to_translate("Right eye (OD)"),
    Laterality.LEFT: to_translate("Left eye (OS)"),
    None: to_translate("Eye unknown"),
}

_PICTURE_WORDS: Final = {
    ScanKind.CIRCLE: to_translate("B-scan along the circle around the optic disc"),
    ScanKind.VOLUME: to_translate(
        "B-scan along a circle around the optic disc, put together from the volume"
    ),
    ScanKind.THICKNESS_MAP: to_translate(
        "Nerve fibre layer as the device measured it: bright is thick, black has no value"
    ),
    ScanKind.FUNDUS: to_translate(
        "Photograph of the fundus. Drawn in: the edge of the optic disc and the outer end of the "
        "ring that was read"
    ),
    None: to_translate("The scan's picture"),
}
#: What reports call scans and their quality, so that the catalogues hold it.
_OF_REPORTS: Final = (
    to_translate("OCT circle"),
    to_translate("OCT volume"),
    to_translate("OCT thickness map"),
    to_translate("Fundus photograph"),
    to_translate("Scan"),
    to_translate("Circle with values"),
    to_translate("Photograph quality"),
    to_translate("Scan quality"),
)


class Recorded(Protocol):
    """Anything that knows what the device recorded."""

    @property
    def scan_kind(self) -> ScanKind | None:
        """What it was, None where that could not be read."""
        ...


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
    return display_name(name) if name.strip("^= ") else gettext("name unknown")


def eye(laterality: Laterality | None) -> str:
    """Return the eye in words and in the clinic's abbreviation."""
    return gettext(_EYE_WORDS[laterality])


def status(value: PredictionStatus) -> str:
    """Return how a scoring ended, in words."""
    return gettext(_STATUS_WORDS[value])


def live_state(value: PredictionStatus | JobStatus) -> str:
    """Return where a scan stands, in words."""
    if isinstance(value, PredictionStatus):
        return status(value)
    return gettext(_WAITING_WORDS[value])


def device(value: Device) -> str:
    """Return maker and model of a device."""
    return " ".join(filter(None, (value.manufacturer, value.model))) or gettext("Device unknown")


def picture(prediction: Prediction) -> str:
    """Return what the picture of the scan shows, for people who do not see it."""
    return gettext(_PICTURE_WORDS[prediction.scan_kind])


def kind(scan: Recorded) -> str:
    """Return what the device recorded, such as `OCT volume`."""
    return gettext(kind_words(scan.scan_kind))


def quality_name(prediction: Prediction) -> str:
    """Return what the quality of this kind of scan is a share of."""
    return gettext(quality_name_of_reports(prediction))


def quality(prediction: Prediction) -> str:
    """Return the quality of a scan in percent; one that could not be read was never judged."""
    return percent(prediction.quality_score if prediction.is_judged else None)


def percent(share: float | None) -> str:
    """Return a share in whole percent."""
    return UNKNOWN if share is None else f"{share * 100:.0f} %"


def cause(value: SettleCause) -> str:
    """Return why a study was settled."""
    return gettext(_CAUSE_WORDS[value])


def decision(value: ReviewDecision) -> str:
    """Return what a review decided, in words."""
    return gettext(_DECISION_WORDS[value])


def amendment(value: Amendment) -> list[str]:
    """Return what a person said instead, in words, one sentence each."""
    said = []
    if value.assessable is not None:
        said.append(gettext("assessable") if value.assessable else gettext("not assessable"))
    if value.mean_deviation_db is not None:
        said.append(f"MD {signed_decibel(value.mean_deviation_db)}")
    if value.mean_sensitivity_db is not None:
        said.append(gettext("mean sensitivity %s") % decibel(value.mean_sensitivity_db))
    if value.pattern_standard_deviation_db is not None:
        said.append(f"PSD {decibel(value.pattern_standard_deviation_db)}")
    return said


def years(age_years: float | None) -> str:
    """Return an age in whole years, as it is spoken."""
    if age_years is None:
        return gettext("age unknown")
    whole = int(age_years)
    return ngettext("%(num)s year", "%(num)s years", whole) % {"num": whole}
