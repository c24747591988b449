import gc

from pynetdicom import AE
from pynetdicom.association import MODE_ACCEPTOR, Association

from dicom_node.scp.open_reports import OpenReports, SentReport


def an_association() -> Association:
    return Association(AE(), MODE_ACCEPTOR)


def test_what_is_due_is_taken_once_and_by_its_own_association() -> None:
    reports, ours, another = OpenReports(), an_association(), an_association()
    reports.expect(ours, 1)
    reports.expect(ours, 2)
    reports.expect(another, 3)

    assert reports.take_due(ours) == [1, 2]
    assert reports.take_due(ours) == []
    assert reports.take_due(another) == [3]


def test_a_response_finds_the_report_it_answers_once() -> None:
    reports, ours, another = OpenReports(), an_association(), an_association()
    first = reports.add_sent(ours, SentReport(1, 0))
    second = reports.add_sent(ours, SentReport(2, 5))

    assert first != second
    assert reports.take_sent(another, second) is None
    assert reports.take_sent(ours, second) == SentReport(2, 5)
    assert reports.take_sent(ours, second) is None
    assert reports.take_sent(ours, first) == SentReport(1, 0)


def test_an_association_that_is_gone_leaves_nothing_behind() -> None:
    reports, ours = OpenReports(), an_association()
    reports.expect(ours, 1)

    del ours
    gc.collect()

    assert len(reports) == 0
