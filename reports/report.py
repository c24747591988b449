"""What every report format offers: one prediction in, one DICOM object out."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from pydicom import Dataset

from core.values.prediction import Prediction
from core.values.report_context import NO_CONTEXT, ReportContext
from reports.equipment import Equipment


class ReportKind(StrEnum):
    """The kinds of report, as rows and URLs spell them: add, never rename."""

    STRUCTURED_REPORT = "sr"
    SECONDARY_CAPTURE = "sc"
    PDF = "pdf"
    TEXT = "text"


class ReportFormat(Protocol):
    """One way to write a prediction as a DICOM object."""

    @property
    def kind(self) -> ReportKind:
        """Which kind of report this format builds."""
        ...

    def build(
        self,
        prediction: Prediction,
        sources: Sequence[Dataset],
        equipment: Equipment,
        context: ReportContext = NO_CONTEXT,
    ) -> Dataset:
        """Return the report, complete with file meta information, ready to be written or sent.

        The same prediction in the same context always gives the same bytes; its UIDs derive from
        the prediction alone.

        Parameters
        ----------
        prediction
            A result of any status: a scan without an estimate is reported too.
        sources
            Headers of the instance the prediction was made from and of those read beside it,
            such as its localizer, in any character set; pixel data is not needed.
        equipment
            The service that reports.
        context
            What is known around the prediction: the other eye, earlier visits, replaced reports.

        Raises
        ------
        ReportError
            If the sources do not fit the prediction, or the prediction contradicts itself.
        """
        ...
