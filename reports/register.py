"""The report formats there are, in the order they are delivered."""

from typing import Final

from reports.encapsulated_pdf import EncapsulatedPdf
from reports.report import ReportFormat
from reports.secondary_capture import SecondaryCapture
from reports.structured_report import StructuredReport

REPORT_FORMATS: Final[tuple[ReportFormat, ...]] = (
    StructuredReport(),
    SecondaryCapture(),
    EncapsulatedPdf(),
)
