"""The page of one eye that a clinician files: the field, what it came from, what is beside it."""

from textwrap import wrap
from typing import Final

from matplotlib.figure import Figure

from core.perimetry import norms
from core.values.prediction import Prediction
from core.values.report_context import ReportContext
from core.values.review import Review
from reports import palette
from reports.canvas import to_pdf
from reports.field_panels import (
    draw_grey_scale,
    draw_numbers,
    draw_pattern_deviation,
    draw_total_deviation,
)
from reports.field_words import HEADLINES, field_notes, field_of, index_words
from reports.outcome import Outcome, outcome_of
from reports.page_words import banner_of, eye_words, model_line, scan_lines
from reports.profile_panel import draw_profile, place_legend_below
from reports.review_mark import draw_mark
from reports.review_words import marked_title
from reports.scan_panel import draw_scan, scan_title
from reports.sheet import (
    HEIGHT_PX,
    MARGIN_INCHES,
    RIGHT_INCHES,
    SCAN_INCHES,
    WIDTH_PX,
    Box,
    Sheet,
)
from reports.trend_panel import dated, draw_trend, trend_of

NO_ESTIMATE_BANNER: Final = "NO ESTIMATE   ·   nothing was measured"

_FIELDS: Final = tuple(Box(0.36 + 2.53 * i, 1.42, 2.48, 2.48) for i in range(3))
_REFUSAL: Final = Box(0.4, 1.42, 7.47, 2.48)
_INDICES_BASELINE: Final = 4.12
#: Where name and value of each index stand: left end, right end.
_INDICES: Final = ((0.4, 1.75), (2.35, 4.55))
_PROFILE: Final = Box(0.8, 4.55, 4.3, 1.95)
_FOURTH: Final = Box(5.42, 4.35, 2.48, 2.48)
_PHOTOGRAPH: Final = Box(0.4, 4.55, 4.8, 3.75)
_SCAN: Final = Box(0.4, 7.1, 7.47, 1.2)
_TREND: Final = Box(0.85, 8.62, 3.0, 1.45)
_OTHER: Final = (Box(4.2, 8.67, 1.75, 1.75), Box(6.1, 8.67, 1.75, 1.75))
_FOOT: Final = 10.53
_FOOT_LETTERS: Final = 168
#: Lines of notes that fit; the result's own page has them all.
_FOOT_LINES: Final = 5
#: Lines of reasons that fit; the structured report has them all.
_REASON_LINES: Final = 9

_WITHIN_THE_ID: Final = "Earlier estimates recorded under this Patient ID; no rate is given."


def draw_page_pdf(
    prediction: Prediction, context: ReportContext, withheld: Review | None = None
) -> bytes:
    """Return the page as PDF, A4 upright.

    Parameters
    ----------
    withheld
        The decision that nobody must take the numbers any more: marked over all.
    """

    def draw(figure: Figure) -> None:
        draw_page(Sheet(figure), prediction, context)
        if withheld is not None:
            draw_mark(figure, withheld)

    title = f"{page_banner(prediction)}: 24-2 visual field, {eye_words(prediction.laterality)[0]}"
    return to_pdf(WIDTH_PX, HEIGHT_PX, draw, marked_title(title, withheld))


def page_banner(prediction: Prediction) -> str:
    """Return the warning at the head of the page."""
    is_estimated = outcome_of(prediction) is Outcome.ESTIMATED
    return banner_of(prediction) if is_estimated else NO_ESTIMATE_BANNER


def draw_page(sheet: Sheet, prediction: Prediction, context: ReportContext) -> None:
    """Draw everything that stands on the page."""
    sheet.draw_banner(page_banner(prediction))
    sheet.draw_patient(prediction)
    _draw_eye(sheet, prediction)
    if outcome_of(prediction) is Outcome.ESTIMATED:
        _draw_field(sheet, prediction)
    else:
        _draw_refusal(sheet, prediction)
    _draw_structure(sheet, prediction)
    _draw_trend(sheet, prediction, context)
    _draw_other_eye(sheet, prediction, context.other_eye)
    _draw_foot(sheet, prediction)


def _draw_eye(sheet: Sheet, prediction: Prediction) -> None:
    eye, colour = eye_words(prediction.laterality)
    scan, device = scan_lines(prediction)
    sheet.text(RIGHT_INCHES, 0.68, eye, size=15, weight="bold", ha="right", color=colour)
    sheet.text(RIGHT_INCHES, 0.88, scan, size=8.5, ha="right", room=SCAN_INCHES)
    sheet.text(
        RIGHT_INCHES, 1.04, device, size=8.5, ha="right", color=palette.QUIET, room=SCAN_INCHES
    )


def _draw_field(sheet: Sheet, prediction: Prediction) -> None:
    estimate, deviations, eye = field_of(prediction)
    draw_numbers(sheet.panel(_FIELDS[0], "Estimated sensitivity, dB"), estimate, eye)
    draw_grey_scale(sheet.panel(_FIELDS[1], "Grey scale of the estimate"), estimate, eye)
    title = f"Total deviation, dB ({norms.NORM_NAME} norm)"
    draw_total_deviation(sheet.panel(_FIELDS[2], title), deviations, eye)
    draw_pattern_deviation(sheet.panel(_FOURTH, "Pattern deviation, dB"), deviations, eye)
    for (name, value), (left, right) in zip(index_words(deviations), _INDICES, strict=True):
        sheet.text(left, _INDICES_BASELINE, name, size=9.5, color=palette.QUIET)
        sheet.text(right, _INDICES_BASELINE, value, size=13, weight="bold", ha="right")


def _draw_refusal(sheet: Sheet, prediction: Prediction) -> None:
    box = _REFUSAL
    sheet.fill(box, palette.REFUSED, palette.REFUSED_INK)
    middle = box.left + box.width / 2
    sheet.text(
        middle, box.top + 0.45, "NO ESTIMATE", size=24, weight="bold", ha="center",
        color=palette.REFUSED_INK,
    )  # fmt: skip
    headline = HEADLINES[outcome_of(prediction)]
    sheet.text(middle, box.top + 0.75, headline, size=10.5, ha="center")
    lines = [line for reason in prediction.reasons for line in wrap(f"• {reason.message}", 105)]
    shown = lines if len(lines) <= _REASON_LINES else [*lines[: _REASON_LINES - 1], "…"]
    sheet.paragraph(box.left + 0.35, box.top + 1.0, tuple(shown), 200, fontsize=8.5)


def _draw_structure(sheet: Sheet, prediction: Prediction) -> None:
    """Draw what the field was estimated from."""
    if prediction.is_of_photograph:
        draw_scan(sheet.panel(_PHOTOGRAPH, scan_title(prediction)), prediction)
        return
    profile = sheet.panel(_PROFILE, "Nerve fibre layer around the disc, µm")
    draw_profile(profile, prediction)
    place_legend_below(profile)
    draw_scan(sheet.panel(_SCAN, scan_title(prediction)), prediction)


def _draw_trend(sheet: Sheet, prediction: Prediction, context: ReportContext) -> None:
    earlier = dated(context.earlier)
    points = trend_of(prediction, earlier)
    sheet.title(_TREND, "Estimated mean deviation by date of scan")
    if not earlier:
        sheet.text(
            _TREND.left, _TREND.top + 0.3, f"No earlier estimate by {prediction.model.name} is",
            size=8, color=palette.QUIET,
        )  # fmt: skip
        sheet.text(
            _TREND.left, _TREND.top + 0.45, "recorded for this eye.", size=8, color=palette.QUIET
        )
        return
    draw_trend(sheet.panel(_TREND), points, last_is_this=len(points) > len(earlier))
    sheet.text(
        MARGIN_INCHES, _TREND.top + _TREND.height + 0.33, _WITHIN_THE_ID, size=6.5,
        color=palette.QUIET,
    )  # fmt: skip


def _draw_other_eye(sheet: Sheet, prediction: Prediction, other: Prediction | None) -> None:
    left, right = _OTHER
    both = Box(left.left, left.top, right.left + right.width - left.left, left.height)
    if other is None:
        text = "No result of the other eye that may be used yet."
        sheet.text(left.left, left.top + 0.25, text, size=8, color=palette.QUIET)
        return
    name = eye_words(other.laterality)[0]
    if outcome_of(other) is not Outcome.ESTIMATED:
        sheet.title(both, f"Other eye of this study: {name}: no estimate")
        reasons = tuple(f"• {reason.message}" for reason in other.reasons[:3])
        sheet.paragraph(both.left, both.top + 0.15, reasons, 62, fontsize=7)
        return
    estimate, deviations, eye = field_of(other)
    md = index_words(deviations)[0][1]
    sheet.title(both, f"Other eye of this study: {name}, MD {md}")
    draw_numbers(sheet.panel(left), estimate, eye)
    draw_grey_scale(sheet.panel(right), estimate, eye)


def _draw_foot(sheet: Sheet, prediction: Prediction) -> None:
    sheet.rule(_FOOT - 0.06)
    sentences = list(prediction.notes)
    if outcome_of(prediction) is Outcome.ESTIMATED:
        estimate, _, _ = field_of(prediction)
        sentences = [*field_notes(estimate, prediction.age_years), *sentences]
    lines = wrap(" ".join(sentences), _FOOT_LETTERS)
    shown = lines if len(lines) <= _FOOT_LINES else [*lines[: _FOOT_LINES - 1], "…"]
    sheet.paragraph(
        MARGIN_INCHES, _FOOT, tuple(shown), 2 * _FOOT_LETTERS, fontsize=6.2, color=palette.QUIET
    )
    top = _FOOT + 0.03 + 0.125 * len(shown)
    sheet.paragraph(MARGIN_INCHES, top, (model_line(prediction),), 200, fontsize=7)
    sheet.paragraph(
        MARGIN_INCHES, top + 0.16, (prediction.notice,), 112, fontsize=7.5, weight="bold"
    )
