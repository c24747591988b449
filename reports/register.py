"""The report formats there are, in the order they are delivered."""

from typing import Final

from reports.encapsulated_pdf import EncapsulatedPdf
from reports.report import ReportFormat, ReportKind
from reports.secondary_capture import SecondaryCapture
from reports.structured_report import StructuredReport
from reports.text_report import TextReport

REPORT_FORMATS: Final[tuple[ReportFormat, ...]] = (
    StructuredReport(),
    SecondaryCapture(),
    EncapsulatedPdf(),
    TextReport(),
)

#: Built only where a setting or a rule asks for it: few viewers need it, and it holds nothing the
#: others do not.
ON_REQUEST: Final = frozenset({ReportKind.TEXT})

DEFAULT_FORMATS: Final = tuple(f for f in REPORT_FORMATS if f.kind not in ON_REQUEST)
ON_REQUEST_FORMATS: Final = tuple(f for f in REPORT_FORMATS if f.kind in ON_REQUEST)


def formats_with(*, text: bool) -> tuple[ReportFormat, ...]:
    """Return what is built of every result."""
    return REPORT_FORMATS if text else DEFAULT_FORMATS
