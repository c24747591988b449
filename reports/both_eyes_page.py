"""The page of both eyes of a study side by side, the right eye on the left."""

from io import BytesIO
from textwrap import wrap
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from core.perimetry import norms
from core.values.both_eyes import BothEyes, EyeOfStudy
from core.values.prediction import Prediction
from core.values.review import Review
from reports import palette
from reports.canvas import to_pdf, to_rgb
from reports.clinical_page import NO_ESTIMATE_BANNER
from reports.field_panels import draw_grey_scale, draw_numbers, draw_total_deviation
from reports.field_words import HEADLINES, decibel_words, field_notes, field_of, index_words
from reports.outcome import Outcome, outcome_of
from reports.page_words import eye_words, model_line, scan_lines
from reports.profile_panel import draw_profile
from reports.review_words import decided_words, verdict_words
from reports.sheet import HEIGHT_PX, MARGIN_INCHES, RIGHT_INCHES, WIDTH_PX, Box, Sheet

NOTHING_TO_USE_BANNER: Final = "NO RESULT TO BE USED   ·   nothing was measured"

_LEFTS: Final = (MARGIN_INCHES, 4.3)
_COLUMN_INCHES: Final = 3.57
_PANEL_INCHES: Final = 2.15
_PANEL_TOPS: Final = (2.2, 4.56, 6.98)
_PROFILE: Final = (9.3, 0.95)
_PROFILE_TITLE: Final = "Nerve fibre layer, µm"
_BAND_NOTE: Final = "Green band: 5 to 95 % of simulated healthy eyes of that age."
#: The page on a screen: its smallest letters can be read, and the picture has 6 MB.
_PICTURE_DOTS_PER_INCH: Final = 150
_FOOT: Final = 10.55
_FOOT_LETTERS: Final = 168
_FOOT_LINE_INCHES: Final = 0.125
#: Lines of notes that the profiles make room for; the structured report has them all.
_NOTE_LINES: Final = 3


def draw_both_eyes_pdf(both: BothEyes) -> bytes:
    """Return the page as PDF, A4 upright."""

    def draw(figure: Figure) -> None:
        draw_both_eyes(Sheet(figure), both)

    return to_pdf(WIDTH_PX, HEIGHT_PX, draw, f"{_banner(both)}: 24-2 visual field, both eyes")


def draw_both_eyes_png(both: BothEyes) -> bytes:
    """Return the page as PNG, of the size of `draw_both_eyes_rgb`."""
    buffer = BytesIO()
    Image.fromarray(draw_both_eyes_rgb(both)).save(buffer, "PNG")
    return buffer.getvalue()


def draw_both_eyes_rgb(both: BothEyes) -> NDArray[np.uint8]:
    """Return the page as uint8, shape (height, width, 3)."""

    def draw(figure: Figure) -> None:
        draw_both_eyes(Sheet(figure), both)

    return to_rgb(WIDTH_PX, HEIGHT_PX, draw, _PICTURE_DOTS_PER_INCH)


def notice_of(both: BothEyes) -> str:
    """Return what the numbers are not; of two eyes the one that says more."""
    return max((eye.prediction.notice for eye in both.eyes), key=len)


def draw_both_eyes(sheet: Sheet, both: BothEyes) -> None:
    """Draw everything that stands on the page."""
    sheet.draw_banner(_banner(both))
    sheet.draw_patient(both.right.prediction)
    sheet.text(RIGHT_INCHES, 0.68, "BOTH EYES", size=15, weight="bold", ha="right")
    settled = f"Study summary, version {both.version}, {both.settled_at:%Y-%m-%d %H:%M %Z}"
    sheet.text(RIGHT_INCHES, 0.88, settled, size=8.5, ha="right")
    if both.missing or both.of_neither:
        sheet.text(
            RIGHT_INCHES, 1.04, _incomplete(both), size=8.5, ha="right", weight="bold",
            color=palette.REFUSED_INK,
        )  # fmt: skip
    notes = _note_lines(both)
    for left, eye in zip(_LEFTS, both.eyes, strict=True):
        _draw_eye(sheet, left, eye, _FOOT_LINE_INCHES * len(notes))
    _draw_foot(sheet, both, notes)


def _banner(both: BothEyes) -> str:
    estimated = _estimated(both)
    if not estimated:
        return NOTHING_TO_USE_BANNER if both.withheld else NO_ESTIMATE_BANNER
    origins = " and ".join(dict.fromkeys(prediction.origin for prediction in estimated))
    return f"ESTIMATED from {origins}, not measured"


def _estimated(both: BothEyes) -> list[Prediction]:
    """Return the results with numbers that may be taken."""
    may_be_used = [eye.prediction for eye in both.eyes if eye.withheld is None]
    return [result for result in may_be_used if outcome_of(result) is Outcome.ESTIMATED]


def _note_lines(both: BothEyes) -> list[str]:
    """Return what was noted of results that may be used, and of which eye."""
    notes = (
        f"{eye_words(eye.prediction.laterality)[0]}: {note}"
        for eye in both.eyes
        if eye.withheld is None
        for note in eye.prediction.notes
    )
    lines = wrap(" ".join(notes), _FOOT_LETTERS)
    return lines if len(lines) <= _NOTE_LINES else [*lines[: _NOTE_LINES - 1], "…"]


def _incomplete(both: BothEyes) -> str:
    facts = []
    if both.missing:
        facts.append(f"{both.missing} announced object(s) did not come")
    if both.of_neither:
        facts.append(f"{both.of_neither} scan(s) of an unknown eye")
    return "; ".join(facts)


def _draw_eye(sheet: Sheet, left: float, eye: EyeOfStudy, room_for_notes: float) -> None:
    prediction = eye.prediction
    name, colour = eye_words(prediction.laterality)
    scan, device = scan_lines(prediction)
    sheet.text(left, 1.42, name, size=13, weight="bold", color=colour)
    sheet.text(left, 1.59, scan, size=7.5, room=_COLUMN_INCHES)
    sheet.text(left, 1.74, device, size=7.5, room=_COLUMN_INCHES, color=palette.QUIET)
    if eye.disagree:
        sheet.text(
            left, 1.89, _disagreement(eye), size=7.5, weight="bold", color=palette.REFUSED_INK
        )
    if eye.withheld is not None:
        # Nothing of the scan either: the circle may be what was wrong.
        _draw_decision(sheet, left, eye.withheld)
        return
    if outcome_of(prediction) is Outcome.ESTIMATED:
        _draw_field(sheet, left, prediction)
    else:
        _draw_refusal(sheet, left, prediction)
    if not prediction.is_of_photograph:
        top, height = _PROFILE
        box = Box(left + 0.35, top, _COLUMN_INCHES - 0.35, height - room_for_notes)
        draw_profile(sheet.panel(box, _PROFILE_TITLE), prediction, legend=False)


def _disagreement(eye: EyeOfStudy) -> str:
    spread = decibel_words(eye.mean_deviation_range_db or 0.0)
    return f"{eye.results} results of this eye disagree: MD {spread} apart"


def _draw_field(sheet: Sheet, left: float, prediction: Prediction) -> None:
    estimate, deviations, eye = field_of(prediction)
    (name, value), _ = index_words(deviations)
    sheet.text(left + _COLUMN_INCHES, 1.42, value, size=13, weight="bold", ha="right")
    sheet.text(left + _COLUMN_INCHES - 1.12, 1.42, name, size=9, ha="right", color=palette.QUIET)
    boxes = [
        Box(left + (_COLUMN_INCHES - _PANEL_INCHES) / 2, top, _PANEL_INCHES, _PANEL_INCHES)
        for top in _PANEL_TOPS
    ]
    draw_numbers(sheet.panel(boxes[0], "Estimated sensitivity, dB"), estimate, eye)
    draw_grey_scale(sheet.panel(boxes[1], "Grey scale of the estimate"), estimate, eye)
    title = f"Total deviation, dB ({norms.NORM_NAME} norm)"
    draw_total_deviation(sheet.panel(boxes[2], title), deviations, eye)


def _draw_refusal(sheet: Sheet, left: float, prediction: Prediction) -> None:
    reasons = (f"• {reason.message}" for reason in prediction.reasons)
    _draw_words(sheet, left, "NO ESTIMATE", (HEADLINES[outcome_of(prediction)], *reasons))


def _draw_decision(sheet: Sheet, left: float, withheld: Review) -> None:
    told = f"{verdict_words(withheld)}, {decided_words(withheld)}"
    _draw_words(sheet, left, "NOT TO BE USED", (told,))


def _draw_words(sheet: Sheet, left: float, headline: str, sentences: tuple[str, ...]) -> None:
    box = Box(left, _PANEL_TOPS[0], _COLUMN_INCHES, 2.6)
    sheet.fill(box, palette.REFUSED, palette.REFUSED_INK)
    middle = left + _COLUMN_INCHES / 2
    sheet.text(
        middle, box.top + 0.4, headline, size=18, weight="bold", ha="center",
        color=palette.REFUSED_INK,
    )  # fmt: skip
    lines = [line for sentence in sentences for line in wrap(sentence, 58)]
    shown = lines if len(lines) <= 14 else [*lines[:13], "…"]
    sheet.paragraph(left + 0.15, box.top + 0.6, tuple(shown), 120, fontsize=7.5)


def _draw_foot(sheet: Sheet, both: BothEyes, remarks: list[str]) -> None:
    foot = _FOOT - _FOOT_LINE_INCHES * len(remarks)
    sheet.rule(foot - 0.06)
    predictions = [eye.prediction for eye in both.eyes]
    estimated = _estimated(both)
    notes: tuple[str, ...] = ()
    if estimated:
        # The first sentence is of one eye's intervals; those stand in its own report.
        notes = field_notes(field_of(estimated[0])[0], estimated[0].age_years)[1:]
    lines = [*wrap(" ".join((*notes, _BAND_NOTE)), _FOOT_LETTERS), *remarks]
    sheet.paragraph(
        MARGIN_INCHES, foot, tuple(lines), 2 * _FOOT_LETTERS, fontsize=6.2, color=palette.QUIET
    )
    top = foot + 0.03 + _FOOT_LINE_INCHES * len(lines)
    models = tuple(f"{eye_words(p.laterality)[0]}: {model_line(p)}" for p in predictions)
    sheet.paragraph(MARGIN_INCHES, top, models, 200, fontsize=6.5)
    sheet.paragraph(MARGIN_INCHES, top + 0.29, (notice_of(both),), 118, fontsize=7.2, weight="bold")
