"""A prediction as Enhanced SR in sentences: for viewers that print a tree but no numbers.

A viewer known to do so drops the names of numeric items, so that every value stands in a text with
its name and unit. Nothing here is meant to be computed with: that is the structured report's part.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    ContainerContentItem,
    ContentSequence,
    EnhancedSR,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom import Dataset

from core.perimetry import pattern
from core.values.laterality import Laterality
from core.values.prediction import FieldEstimate, Prediction
from core.values.report_context import NO_CONTEXT, ReportContext
from reports import codes
from reports.algorithm import algorithm_parameters
from reports.equipment import Equipment
from reports.field_words import HEADLINES, field_of
from reports.outcome import Outcome, outcome_of
from reports.page_words import banner_of, eye_words, model_line
from reports.report import ReportKind
from reports.source import read_sources
from reports.sr_document import build_document, device_observer
from reports.structured_report import heading_of

#: Follows the page in lists.
_SERIES_NUMBER: Final = 24204

_CONTAINS: Final = RelationshipTypeValues.CONTAINS
_MODIFIES: Final = RelationshipTypeValues.HAS_CONCEPT_MOD


class TextReport:
    """The result in words: built where a destination asks for it."""

    kind: Final = ReportKind.TEXT

    def build(
        self,
        prediction: Prediction,
        sources: Sequence[Dataset],
        equipment: Equipment,
        context: ReportContext = NO_CONTEXT,
    ) -> Dataset:
        """Return the report; see `ReportFormat.build`."""
        headers = read_sources(prediction, sources)
        heading = heading_of(prediction, headers[0], equipment, context, self.kind, _SERIES_NUMBER)
        content = _content(prediction, equipment)
        document = build_document(EnhancedSR, content, headers, heading, equipment)
        document.SeriesDescriptionCodeSequence = [
            codes.finding_of(outcome_of(prediction), is_of_photograph=prediction.is_of_photograph)
        ]
        return document


def _content(prediction: Prediction, equipment: Equipment) -> ContainerContentItem:
    root = ContainerContentItem(name=codes.REPORT_TITLE)
    items = [
        *device_observer(equipment, prediction.model),
        _eye(prediction.laterality),
        _text(codes.FINDING, _headline(prediction)),
        *_values(prediction),
        _text(codes.COMMENT, model_line(prediction)),
        *(_text(codes.COMMENT, sentence) for sentence in algorithm_parameters(prediction)),
    ]
    root.ContentSequence = ContentSequence(items)
    return root


def _headline(prediction: Prediction) -> str:
    eye = eye_words(prediction.laterality)[0]
    outcome = outcome_of(prediction)
    if outcome is Outcome.ESTIMATED:
        return f"{eye}: 24-2 visual field {banner_of(prediction)}"
    return f"{eye}: {HEADLINES[outcome]}; nothing was measured"


def _values(prediction: Prediction) -> Iterable[TextContentItem]:
    """Return the values, or the reasons why there are none, a sentence each."""
    if outcome_of(prediction) is not Outcome.ESTIMATED:
        return [_text(codes.REASON, reason.message) for reason in prediction.reasons]
    estimate, deviations, eye = field_of(prediction)
    return [
        _text(codes.MEAN_DEVIATION, f"MD {_decibel(deviations.mean_deviation_db)}, estimated"),
        _text(
            codes.MEAN_SENSITIVITY,
            f"Mean sensitivity {_decibel(deviations.mean_sensitivity_db)}, estimated",
        ),
        *(_text(codes.POINT_SENSITIVITY, row) for row in _rows(estimate, eye)),
    ]


def _rows(estimate: FieldEstimate, eye: Laterality) -> Iterable[str]:
    """Yield a line a row of the pattern, top row first, left to right as the patient sees."""
    x, y = pattern.x_as_patient_sees(eye), pattern.Y_DEGREE
    for height in sorted(set(y.tolist()), reverse=True):
        (row,) = np.nonzero(y == height)
        ordered = row[np.argsort(x[row])]
        values = ", ".join(
            f"{estimate.sensitivities_db[point]:.0f} at x {x[point]:+.0f}" for point in ordered
        )
        yield f"y {height:+.0f}: {values} (dB, degree, as the patient sees)"


def _decibel(value_db: float) -> str:
    # Adding zero turns -0.0 into 0.0.
    return f"{round(value_db, 1) + 0.0:.1f} dB"


def _eye(laterality: Laterality | None) -> CodeContentItem:
    site = CodeContentItem(
        name=codes.FINDING_SITE, value=codes.WHOLE_EYE, relationship_type=_MODIFIES
    )
    if laterality is not None:
        side = CodeContentItem(
            name=codes.SIDE, value=codes.LATERALITY[laterality], relationship_type=_MODIFIES
        )
        site.ContentSequence = ContentSequence([side])
    return site


def _text(name: CodedConcept, value: str) -> TextContentItem:
    return TextContentItem(name=name, value=value, relationship_type=_CONTAINS)
