from io import BytesIO

from highdicom.sr import srread
from pydicom import dcmwrite
from pydicom.uid import ComprehensiveSRStorage

from reports.comprehensive_sr import as_comprehensive_sr
from reports.equipment import Equipment
from reports.structured_report import StructuredReport
from tests.builders.prediction import build_prediction
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
