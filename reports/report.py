"""What every report format offers: one prediction in, one DICOM object out."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from pydicom import Dataset

from core.values.prediction import Prediction
from reports.equipment import Equipment


class ReportKind(StrEnum):
    """The kinds of report, as rows and URLs spell them: add, never rename."""

    STRUCTURED_REPORT = "sr"
    SECONDARY_CAPTURE = "sc"


class ReportFormat(Protocol):
    """One way to write a prediction as a DICOM object."""

    @property
    def kind(self) -> ReportKind:
        """Which kind of report this format builds."""
        ...

    def build(
        self, prediction: Prediction, sources: Sequence[Dataset], equipment: Equipment
    ) -> Dataset:
        """Return the report, complete with file meta information, ready to be written or sent.

        The same prediction always gives the same bytes, UIDs included.

        Parameters
        ----------
        prediction
            A result of any status: a scan without an estimate is reported too.
        sources
            Headers of the instance the prediction was made from and of those read beside it,
            such as its localizer, in any character set; pixel data is not needed.
        equipment
            The service that reports.

        Raises
        ------
        ReportError
            If the sources do not fit the prediction, or the prediction contradicts itself.
        """
        ...
