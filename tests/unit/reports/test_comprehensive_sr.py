from io import BytesIO

from highdicom.sr import srread
from pydicom import dcmwrite
from pydicom.uid import ComprehensiveSRStorage

from reports.comprehensive_sr import as_comprehensive_sr
from reports.equipment import Equipment
from reports.reviewed_report import reviewed_report
from reports.structured_report import StructuredReport
from tests.builders.prediction import build_prediction
from tests.builders.review import build_review
from tests.builders.source import build_source


def test_comprehensive_sr_is_the_same_tree_in_another_object() -> None:
    prediction = build_prediction()
    report = StructuredReport().build(
        prediction, [build_source(prediction)], Equipment("1.2.3", "node-1")
    )
    buffer = BytesIO()

    dcmwrite(buffer, as_comprehensive_sr(report), enforce_file_format=True)

    buffer.seek(0)
    reread = srread(buffer)
    assert reread.SOPClassUID == ComprehensiveSRStorage
    assert reread.file_meta.MediaStorageSOPInstanceUID == reread.SOPInstanceUID
    assert reread.SOPInstanceUID != report.SOPInstanceUID
    assert len(reread.content.get_image_measurement_groups()) == 53
    assert reread.ContentSequence == report.ContentSequence


def test_report_that_follows_names_the_one_before_as_such_a_peer_has_it() -> None:
    prediction = build_prediction()
    source = build_source(prediction)
    first = StructuredReport().build(prediction, [source], Equipment("1.2.3", "node-1"))
    reviewed = reviewed_report(first, first, build_review())

    sent = as_comprehensive_sr(reviewed)

    [study] = sent.PredecessorDocumentsSequence
    [named] = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    before = as_comprehensive_sr(first)
    assert named.ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert named.ReferencedSOPClassUID == before.SOPClassUID
    [evidence] = sent.CurrentRequestedProcedureEvidenceSequence
    scans = evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert [scan.ReferencedSOPInstanceUID for scan in scans] == [source.SOPInstanceUID]
