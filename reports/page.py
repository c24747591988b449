"""What stands around the panels of a picture: the warning, whose eye, which scan, which model."""

from textwrap import wrap
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from core.values.laterality import Laterality
from core.values.prediction import Prediction
from reports import palette
from reports.canvas import drawable
from reports.scan_words import quality_name, scan_words

_EYES: Final[dict[Laterality | None, tuple[str, str]]] = {
    Laterality.RIGHT: ("RIGHT EYE (OD)", palette.ACCENT),
    Laterality.LEFT: ("LEFT EYE (OS)", palette.ACCENT),
}

_NAME_LETTERS: Final = 44
_DIGEST_LETTERS: Final = 12


def banner_of(prediction: Prediction) -> str:
    """Return the sentence that stands above everything else."""
    return f"ESTIMATED from {prediction.origin}, not measured"


def draw_page(figure: Figure, prediction: Prediction, banner: str) -> None:
    """Draw the banner, the header and the footer."""
    _draw_banner(figure, banner)
    _draw_patient(figure, prediction)
    _draw_scan(figure, prediction)
    _draw_footer(figure, prediction)


def display_name(name: str) -> str:
    """Return a DICOM name for people: `Yamada^Tarou=山田^太郎` as `Yamada, Tarou (山田 太郎)`."""
    alphabetic, *others = name.split("=")
    family, *given = [part.strip() for part in alphabetic.split("^")]
    shown = ", ".join(part for part in (family, " ".join(filter(None, given))) if part)
    for other in others[:1]:
        written = " ".join(filter(None, other.split("^")))
        shown = f"{shown} ({written})" if shown and written else shown or written
    shown = shown or "name unknown"
    return shown if len(shown) <= _NAME_LETTERS else f"{shown[: _NAME_LETTERS - 1]}…"


def short_digest(digest: str) -> str:
    """Return the first letters of a digest, as people compare them."""
    return digest.removeprefix("sha256:")[:_DIGEST_LETTERS]


def _draw_banner(figure: Figure, banner: str) -> None:
    figure.add_artist(
        Rectangle((0, 0.945), 1, 0.055, fc=palette.WARNING, ec="none", transform=figure.transFigure)
    )
    figure.text(
        0.5, 0.9725, banner, ha="center", va="center_baseline", fontsize=25, weight="bold",
        color=palette.INK,
    )  # fmt: skip


def _draw_patient(figure: Figure, prediction: Prediction) -> None:
    patient = prediction.patient
    born = patient.birth_date.isoformat() if patient.birth_date else "unknown"
    age = f"{prediction.age_years:.1f} years" if prediction.age_years is not None else "unknown"
    identity = f"ID {patient.patient_id or 'unknown'}"
    if patient.issuer:
        identity = f"{identity}  ({patient.issuer})"
    details = f"born {born}   sex {patient.sex or 'unknown'}   age at scan {age}"
    figure.text(
        0.03, 0.916, drawable(display_name(patient.name)), fontsize=19, weight="bold",
        color=palette.INK, va="center_baseline",
    )  # fmt: skip
    figure.text(0.03, 0.882, drawable(identity), fontsize=13, color=palette.INK)
    figure.text(0.03, 0.858, drawable(details), fontsize=13, color=palette.QUIET)


def _draw_scan(figure: Figure, prediction: Prediction) -> None:
    eye, colour = _EYES.get(prediction.laterality, ("EYE UNKNOWN", palette.REFUSED_INK))
    device = prediction.device
    maker = " ".join(filter(None, (device.manufacturer, device.model))) or "device unknown"
    acquired = prediction.acquired_at
    # Kept in UTC: without its zone the time, near midnight even the day, would be another.
    scanned = f"{acquired:%Y-%m-%d %H:%M %Z}".strip() if acquired else "date unknown"
    serial = f"   serial {device.serial_number}" if device.serial_number else ""
    figure.text(
        0.97, 0.916, eye, ha="right", fontsize=24, weight="bold", color=colour,
        va="center_baseline",
    )  # fmt: skip
    right: dict[str, Any] = {"ha": "right", "fontsize": 13}
    what = scan_words(prediction)
    figure.text(0.97, 0.882, f"{what} of {scanned}", color=palette.INK, **right)
    figure.text(0.97, 0.858, drawable(f"{maker}{serial}"), color=palette.QUIET, **right)


def _draw_footer(figure: Figure, prediction: Prediction) -> None:
    model = prediction.model
    verb = "tried" if prediction.estimate is None else "estimated"
    facts = [
        f"Model {model.name} {model.version}, weights {short_digest(model.digest)}",
        f"{verb} {prediction.predicted_at:%Y-%m-%d %H:%M} {prediction.predicted_at:%Z}",
    ]
    if prediction.is_judged:
        facts.append(f"{quality_name(prediction).lower()} {prediction.quality_score:.0%}")
    made = "   ·   ".join(facts)
    notice = "\n".join(wrap(prediction.notice, 160))
    figure.text(0.03, 0.052, drawable(made), fontsize=11, color=palette.QUIET)
    figure.text(0.03, 0.043, notice, fontsize=11.5, weight="bold", color=palette.INK, va="top")
