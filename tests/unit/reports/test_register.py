from reports.register import REPORT_FORMATS
from reports.report import ReportKind


def test_every_kind_of_report_has_one_format() -> None:
    assert [report_format.kind for report_format in REPORT_FORMATS] == list(ReportKind)
