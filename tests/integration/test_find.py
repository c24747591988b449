"""C-FIND: what peers ask, and what they are answered."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.association import Association
from sqlmodel import col, update

from core.clock import utc_now
from core.tables.instances import InstanceRow
from dicom_node.errors import MatchingKeyInvalid
from tests.builders.queryable import COMPREHENSIVE_3D_SR, OPT, RAW_DATA
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.query_scu import PATIENT_ROOT, STUDY_ROOT, Answers, ask, asking, identifier
from tests.fixtures.queryable_node import KINDS, FilledArchive, filled_archive

#: pydicom's, where these tests write what no value may be.
pytestmark = pytest.mark.filterwarnings("ignore:(Invalid value|The value length)")


@pytest.fixture(scope="module", params=KINDS)
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FilledArchive]:
    with filled_archive(request, tmp_path_factory.mktemp("find")) as filled:
        yield filled


@dataclass(frozen=True)
class Asked:
    """A node, and an association that is open to it."""

    node: Node
    association: Association

    @property
    def port(self) -> int:
        return self.node.port


@pytest.fixture(scope="module")
def node(archive: FilledArchive) -> Iterator[Asked]:
    with (
        running_node(archive.settings, archive.database) as running,
        asking(running.port) as association,
    ):
        yield Asked(running, association)


@pytest.fixture(scope="module")
def strict_node(archive: FilledArchive) -> Iterator[Asked]:
    strict = archive.settings.model_copy(update={"query_strict": True})
    with (
        running_node(strict, archive.database) as running,
        asking(running.port) as association,
    ):
        yield Asked(running, association)


def query(asked: Asked, level: str, model: Any = STUDY_ROOT, **keys: Any) -> Answers:
    return ask(asked.association, identifier(level, **keys), model)


@pytest.mark.parametrize(
    ("arguments", "unique", "expected"),
    [
        ("-P -k QueryRetrieveLevel=PATIENT -k PatientName=*", "PatientID", {"P1", "P2", "P_3"}),
        ("-P -k QueryRetrieveLevel=PATIENT -k PatientName=doe*", "PatientID", {"P2"}),
        (
            "-P -k QueryRetrieveLevel=STUDY -k PatientID=P1",
            "StudyInstanceUID",
            {"1.2.10", "1.2.11"},
        ),
        (
            "-S -k QueryRetrieveLevel=STUDY -k StudyDate=20240320 -k ModalitiesInStudy",
            "StudyInstanceUID",
            {"1.2.10", "1.2.20"},
        ),
        (
            "-S -k QueryRetrieveLevel=SERIES -k StudyInstanceUID=1.2.11 -k Modality",
            "SeriesInstanceUID",
            {"1.2.11.1", "1.2.11.2"},
        ),
        (
            "-S -k QueryRetrieveLevel=IMAGE -k StudyInstanceUID=1.2.10"
            " -k SeriesInstanceUID=1.2.10.9 -k InstanceNumber",
            "SOPInstanceUID",
            {"1.2.10.9.1"},
        ),
        (
            "-P -k QueryRetrieveLevel=IMAGE -k PatientID=P2 -k StudyInstanceUID=1.2.20"
            " -k SeriesInstanceUID=1.2.20.1",
            "SOPInstanceUID",
            {"1.2.20.1.1", "1.2.20.1.2"},
        ),
    ],
)
def test_findscu_finds_at_every_level_of_both_models(
    node: Asked,
    need: Callable[[str], None],
    tmp_path: Path,
    arguments: str,
    unique: str,
    expected: set[str],
) -> None:
    need("findscu")
    command = ["findscu", "-X", "-od", str(tmp_path), *arguments.split(), "-k", unique]

    answered = subprocess.run([*command, *node.node.dcmtk], capture_output=True, check=False)

    assert answered.returncode == 0, answered.stderr
    told = [dcmread(path, force=True) for path in tmp_path.glob("*.dcm")]
    assert {one[unique].value for one in told} == expected
    assert len(told) == len(expected)


@pytest.mark.parametrize(
    ("level", "keys", "expected"),
    [
        ("STUDY", {"StudyInstanceUID": ["1.2.10", "1.2.30"]}, {"1.2.10", "1.2.30"}),
        ("STUDY", {"AccessionNumber": "A?"}, {"1.2.10", "1.2.11"}),
        ("STUDY", {"AccessionNumber": "B_1"}, {"1.2.30"}),
        ("STUDY", {"StudyDescription": "*100%"}, {"1.2.20"}),
        ("STUDY", {"PatientName": "müller^anna"}, {"1.2.10", "1.2.11"}),
        ("STUDY", {"PatientName": "山田*"}, {"1.2.30"}),
        ("STUDY", {"StudyDate": "20240101-20241231"}, {"1.2.10", "1.2.20"}),
        ("STUDY", {"StudyDate": "20240321-"}, {"1.2.11"}),
        ("STUDY", {"StudyDate": "-20231231"}, {"1.2.30"}),
        ("STUDY", {"StudyTime": "09-1030"}, {"1.2.10", "1.2.11"}),
        ("STUDY", {"StudyTime": "140000.5"}, {"1.2.20"}),
        ("STUDY", {"ModalitiesInStudy": "SR"}, {"1.2.10"}),
        ("STUDY", {"ModalitiesInStudy": ["SR", "XX"]}, {"1.2.10"}),
        ("STUDY", {"SOPClassesInStudy": COMPREHENSIVE_3D_SR}, {"1.2.10"}),
        ("STUDY", {"ReferringPhysicianName": "weiss^*"}, {f"1.2.{n}" for n in (10, 11, 20, 30)}),
        ("STUDY", {"StudyID": "S20"}, {"1.2.20"}),
        ("STUDY", {"PatientID": "nobody"}, set()),
        ("STUDY", {"PatientID": "' OR 1=1 --"}, set()),
        ("STUDY", {"NumberOfStudyRelatedInstances": 6, "PatientID": "P2"}, {"1.2.20"}),
        ("SERIES", {"PatientID": "P1", "SeriesNumber": 9}, {"1.2.10.9"}),
        ("SERIES", {"Modality": "S*"}, {"1.2.10.9"}),
        ("IMAGE", {"SOPClassUID": COMPREHENSIVE_3D_SR}, {"1.2.10.9.1"}),
        ("IMAGE", {"NumberOfFrames": 3}, {"1.2.10.8.1"}),
        ("IMAGE", {"VerificationFlag": "UNVERIFIED"}, {"1.2.10.9.1"}),
        ("IMAGE", {"ContentDate": "20240321"}, {"1.2.10.9.1"}),
    ],
)
def test_every_kind_of_matching(
    node: Asked, level: str, keys: dict[str, Any], expected: set[str]
) -> None:
    unique = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}

    answers = query(node, level, SpecificCharacterSet="ISO_IR 192", **keys)

    assert answers.status == 0x0000
    assert set(answers.values(unique[level])) == expected
    assert len(answers.matches) == len(expected)


@pytest.mark.parametrize(
    ("keyword", "inner", "value", "expected"),
    [
        ("RequestAttributesSequence", "RequestedProcedureID", "PROC1", {"1.2.10.9.1"}),
        ("RequestAttributesSequence", "ScheduledProcedureStepID", "STEP2", set()),
        ("ConceptNameCodeSequence", "CodeValue", "126000", {"1.2.10.9.1"}),
        ("ConceptNameCodeSequence", "CodeValue", "12600", set()),
    ],
)
def test_items_of_sequences_are_matched(
    node: Asked, keyword: str, inner: str, value: str, expected: set[str]
) -> None:
    item = Dataset()
    setattr(item, inner, value)

    answers = query(node, "IMAGE", StudyInstanceUID="1.2.10", **{keyword: [item]})

    assert set(answers.values("SOPInstanceUID")) == expected


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_answer_tells_every_key_in_any_transfer_syntax(node: Asked, syntax: str) -> None:
    asked = identifier(
        "IMAGE",
        SOPInstanceUID="1.2.10.9.1",
        PatientName="",
        StudyDate="",
        SeriesTime="",
        Rows=None,
        NumberOfFrames="",
        ConceptNameCodeSequence=[],
        RequestAttributesSequence=[],
        StudyDescription="",
        PatientComments="",
        NumberOfStudyRelatedSeries="",
    )

    with asking(node.port, syntax) as association:
        answers = ask(association, asked)

    (match,) = answers.matches
    assert match.QueryRetrieveLevel == "IMAGE"
    assert match.RetrieveAETitle == "ARCUATE"
    assert match.InstanceAvailability == "ONLINE"
    assert match.SpecificCharacterSet == "ISO_IR 192"
    assert (match.PatientName, match.StudyDate, match.SeriesTime) == (
        "Müller^Anna",
        "20240320",
        "110000",
    )
    assert (match.Rows, match.NumberOfFrames, match.NumberOfStudyRelatedSeries) == (2, 1, 4)
    assert match.ConceptNameCodeSequence[0].CodeMeaning == "Imaging Measurement Report"
    assert match.RequestAttributesSequence[0].ScheduledProcedureStepID == "STEP1"
    # Known to the standard, never to us: there, and empty.
    assert match.PatientComments is None or match.PatientComments == ""
    assert answers.pending == {0xFF01}


def test_counts_tell_of_the_whole_patient_and_study(node: Asked) -> None:
    counts = {
        "NumberOfPatientRelatedStudies": "",
        "NumberOfPatientRelatedSeries": "",
        "NumberOfPatientRelatedInstances": "",
    }
    (patient,) = query(node, "PATIENT", PATIENT_ROOT, PatientID="P1", **counts).matches
    (study,) = query(
        node,
        "STUDY",
        StudyInstanceUID="1.2.10",
        ModalitiesInStudy="",
        SOPClassesInStudy="",
        NumberOfStudyRelatedSeries="",
        NumberOfStudyRelatedInstances="",
    ).matches

    assert [patient[keyword].value for keyword in counts] == [2, 6, 10]
    assert list(study.ModalitiesInStudy) == ["OPT", "OT", "SR"]
    assert len(study.SOPClassesInStudy) == 3
    assert (study.NumberOfStudyRelatedSeries, study.NumberOfStudyRelatedInstances) == (4, 6)


def test_cirrus_query_without_uids_is_answered(node: Asked) -> None:
    asked = identifier(
        "IMAGE",
        PatientID="P*",
        PatientBirthDate="19580101-19581231",
        PatientName="",
        SOPClassUID="",
    )
    for group, creator in (
        (0x0405, "99CZM_CapeCod_OctSettings"),
        (0x0407, "99CZM_CapeCod_OctGeneral"),
        (0x2301, "99CZM_FORUM"),
    ):
        asked.add(DataElement(Tag(group, 0x0010), "LO", creator))
        asked.add(DataElement(Tag(group, 0x1001), "LO", "secret"))
    asked.add(DataElement(Tag(0x0407, 0x1002), "SQ", [Dataset()]))
    asked.ReferencedImageSequence = [Dataset()]

    with asking(node.port) as association:
        answers = ask(association, asked)

    assert (answers.status, answers.pending) == (0x0000, {0xFF01})
    assert set(answers.values("PatientID")) == {"P1"}
    assert len(answers.matches) == 10


def test_keys_we_know_are_all_supported(node: Asked) -> None:
    answers = query(node, "STUDY", PatientID="P1", PatientName="", StudyDescription="")

    assert answers.pending == {0xFF00}


@pytest.mark.parametrize(
    ("model", "level"),
    [(STUDY_ROOT, "PATIENT"), (STUDY_ROOT, "FRAME"), (PATIENT_ROOT, ""), (STUDY_ROOT, "study")],
)
def test_level_of_no_model_is_a_mismatch(node: Asked, model: Any, level: str) -> None:
    answers = query(node, level, model, PatientID="P1")

    assert (answers.status, answers.matches) == (0xA900, [])


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("StudyDate", "2024-03-20"),
        ("StudyDate", "20241301"),
        ("StudyTime", "99"),
        ("StudyInstanceUID", "1..2"),
        ("StudyInstanceUID", "../../etc"),
        ("StudyInstanceUID", "1.2\0.10"),
        ("PatientID", "P1\x01"),
        ("PatientID", "*" + "x" * 300),
        ("ModalitiesInStudy", [f"M{n}" for n in range(200)]),
    ],
)
def test_value_none_can_have_is_not_understood(node: Asked, keyword: str, value: Any) -> None:
    answers = query(node, "STUDY", **{keyword: value})

    assert (answers.status, answers.matches) == (0xC000, [])
    assert answers.final.OffendingElement == Tag(keyword)
    assert keyword in answers.final.ErrorComment


def test_identifier_larger_than_any_query_is_out_of_resources(node: Asked) -> None:
    uids = [f"1.2.{number}" + ".1" * 20 for number in range(30_000)]

    with asking(node.port) as association:
        too_large = ask(association, identifier("STUDY", StudyInstanceUID=uids))
        afterwards = ask(association, identifier("STUDY", StudyInstanceUID=uids[:4999]))

    assert (too_large.status, afterwards.status) == (0xA700, 0x0000)


@pytest.mark.parametrize(
    ("declared", "answered"),
    [("ISO_IR 100", "ISO_IR 100"), ("ISO_IR 192", "ISO_IR 192"), (None, "ISO_IR 192")],
)
def test_answer_is_written_in_the_set_of_the_query(
    node: Asked, declared: str | None, answered: str
) -> None:
    keys = {"SpecificCharacterSet": declared} if declared else {}

    answers = query(node, "STUDY", StudyInstanceUID="1.2.10", PatientName="", **keys)

    (match,) = answers.matches
    assert (match.SpecificCharacterSet, match.PatientName) == (answered, "Müller^Anna")


@pytest.mark.parametrize("declared", ["ISO_IR 100", "ISO_IR 13"])
def test_name_that_the_set_of_the_query_cannot_write_comes_in_utf_8(
    node: Asked, declared: str
) -> None:
    answers = query(
        node, "STUDY", SpecificCharacterSet=declared, StudyInstanceUID="1.2.30", PatientName=""
    )

    (match,) = answers.matches
    assert match.SpecificCharacterSet == "ISO_IR 192"
    assert match.PatientName.ideographic == "山田^太郎"


def test_what_retention_removed_is_offline(archive: FilledArchive, node: Node) -> None:
    one = col(InstanceRow.sop_instance_uid) == "1.2.20.1.1"

    def availability(level: str, **keys: str) -> list[str]:
        return query(node, level, **keys).values("InstanceAvailability")

    with archive.database.transaction() as session:
        session.execute(update(InstanceRow).where(one).values(bytes_removed_at=utc_now()))
    try:
        assert availability("STUDY", PatientID="P2") == ["OFFLINE"]
        assert availability("SERIES", PatientID="P2") == ["OFFLINE", "ONLINE"]
        assert availability("IMAGE", SeriesInstanceUID="1.2.20.1") == ["OFFLINE", "ONLINE"]
        assert availability("STUDY", PatientID="P_3") == ["ONLINE"]
    finally:
        with archive.database.transaction() as session:
            session.execute(update(InstanceRow).where(one).values(bytes_removed_at=None))


def test_what_is_cut_ends_with_one_warning(archive: FilledArchive) -> None:
    few = archive.settings.model_copy(update={"query_maximum_matches": 3})

    with running_node(few, archive.database) as node, asking(node.port) as association:
        cut = ask(association, identifier("IMAGE", SOPClassUID=OPT))
        whole = ask(association, identifier("SERIES", StudyInstanceUID="1.2.11"))
        nothing = ask(association, identifier("IMAGE", SOPClassUID=RAW_DATA))

    assert (cut.status, len(cut.matches)) == (0xB001, 3)
    assert (whole.status, len(whole.matches)) == (0x0000, 2)
    assert (nothing.status, len(nothing.matches)) == (0x0000, 0)


@pytest.mark.parametrize(
    ("model", "level", "keys", "status"),
    [
        (STUDY_ROOT, "STUDY", {"PatientID": "P1"}, 0x0000),
        (STUDY_ROOT, "SERIES", {"StudyInstanceUID": "1.2.10"}, 0x0000),
        (STUDY_ROOT, "SERIES", {"PatientID": "P1"}, 0xA900),
        (STUDY_ROOT, "SERIES", {"StudyInstanceUID": ["1.2.10", "1.2.11"]}, 0xA900),
        (STUDY_ROOT, "IMAGE", {"StudyInstanceUID": "1.2.10"}, 0xA900),
        (STUDY_ROOT, "IMAGE", {"PatientID": "P*", "PatientBirthDate": "19580101-"}, 0xA900),
        (PATIENT_ROOT, "STUDY", {"StudyDate": "20240320"}, 0xA900),
        (PATIENT_ROOT, "STUDY", {"PatientID": "P*"}, 0xA900),
        (PATIENT_ROOT, "STUDY", {"PatientID": "P1"}, 0x0000),
    ],
)
def test_strict_node_asks_for_the_keys_above(
    strict_node: Asked, model: Any, level: str, keys: dict[str, Any], status: int
) -> None:
    assert query(strict_node, level, model, **keys).status == status


def test_offending_keys_are_named_without_their_values() -> None:
    assert str(MatchingKeyInvalid("PatientName", "is odd")) == "PatientName is odd"
