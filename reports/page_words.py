"""Who, which eye, which scan, which model: the lines that stand on every page."""

from typing import Final

from core.values.laterality import Laterality
from core.values.prediction import Prediction
from reports import palette
from reports.scan_words import quality_name, scan_words

_EYES: Final[dict[Laterality | None, tuple[str, str]]] = {
    Laterality.RIGHT: ("RIGHT EYE (OD)", palette.ACCENT),
    Laterality.LEFT: ("LEFT EYE (OS)", palette.ACCENT),
}

_NAME_LETTERS: Final = 44
_DIGEST_LETTERS: Final = 12


def eye_words(laterality: Laterality | None) -> tuple[str, str]:
    """Return which eye, and the colour it is written in."""
    return _EYES.get(laterality, ("EYE UNKNOWN", palette.REFUSED_INK))


def banner_of(prediction: Prediction) -> str:
    """Return the sentence that stands above everything else."""
    return f"ESTIMATED from {prediction.origin}, not measured"


def display_name(name: str, letters: int = _NAME_LETTERS) -> str:
    """Return a DICOM name for people: `Yamada^Tarou=山田^太郎` as `Yamada, Tarou (山田 太郎)`."""
    alphabetic, *others = name.split("=")
    family, *given = [part.strip() for part in alphabetic.split("^")]
    shown = ", ".join(part for part in (family, " ".join(filter(None, given))) if part)
    for other in others[:1]:
        written = " ".join(filter(None, other.split("^")))
        shown = f"{shown} ({written})" if shown and written else shown or written
    shown = shown or "name unknown"
    return shown if len(shown) <= letters else f"{shown[: letters - 1]}…"


def short_digest(digest: str) -> str:
    """Return the first letters of a digest, as people compare them."""
    return digest.removeprefix("sha256:")[:_DIGEST_LETTERS]


def patient_lines(prediction: Prediction, letters: int = _NAME_LETTERS) -> tuple[str, str, str]:
    """Return name, of so many letters at most, identifier and details of the patient."""
    patient = prediction.patient
    born = patient.birth_date.isoformat() if patient.birth_date else "unknown"
    age = f"{prediction.age_years:.1f} years" if prediction.age_years is not None else "unknown"
    identity = f"ID {patient.patient_id or 'unknown'}"
    if patient.issuer:
        identity = f"{identity}  ({patient.issuer})"
    details = f"born {born}   sex {patient.sex or 'unknown'}   age at scan {age}"
    return display_name(patient.name, letters), identity, details


def scan_lines(prediction: Prediction) -> tuple[str, str]:
    """Return what was recorded when, and by which device."""
    device = prediction.device
    maker = " ".join(filter(None, (device.manufacturer, device.model))) or "device unknown"
    acquired = prediction.acquired_at
    # Kept in UTC: without its zone the time, near midnight even the day, would be another.
    scanned = f"{acquired:%Y-%m-%d %H:%M %Z}".strip() if acquired else "date unknown"
    serial = f"   serial {device.serial_number}" if device.serial_number else ""
    return f"{scan_words(prediction)} of {scanned}", f"{maker}{serial}"


def model_line(prediction: Prediction) -> str:
    """Return which model estimated when, and how good the scan was."""
    model = prediction.model
    verb = "tried" if prediction.estimate is None else "estimated"
    facts = [
        f"Model {model.name} {model.version}, weights {short_digest(model.digest)}",
        f"{verb} {prediction.predicted_at:%Y-%m-%d %H:%M} {prediction.predicted_at:%Z}",
    ]
    if prediction.is_judged:
        facts.append(f"{quality_name(prediction).lower()} {prediction.quality_score:.0%}")
    return "   ·   ".join(facts)
