import pytest

from reports.register import REPORT_FORMATS, formats_with
from reports.report import ReportKind


def test_every_kind_of_report_has_one_format() -> None:
    assert [report_format.kind for report_format in REPORT_FORMATS] == list(ReportKind)


@pytest.mark.parametrize(("text", "kinds"), [(False, "sr sc pdf"), (True, "sr sc pdf text")])
def test_text_is_written_where_the_settings_say_so(text: bool, kinds: str) -> None:
    assert " ".join(report_format.kind for report_format in formats_with(text=text)) == kinds
