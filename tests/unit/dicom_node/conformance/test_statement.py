import json
import re

import pytest

from core.settings import Settings
from dicom_node.conformance.document import write_document
from dicom_node.conformance.emitted import emitted_classes, private_codes
from dicom_node.conformance.markdown import named, table
from dicom_node.conformance.query_keys import query_keys
from dicom_node.conformance.statement import WebRoute, build_statement
from dicom_node.devices.input_class import is_measured_field
from dicom_node.storage.query.attribute import ATTRIBUTES
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.query import searchable
from reports import codes
from reports.both_eyes_register import BOTH_EYES_FORMATS
from reports.equipment import Equipment
from reports.register import REPORT_FORMATS
from tests.builders.both_eyes import build_both_eyes, sources_of
from tests.builders.prediction import build_prediction
from tests.builders.source import build_source


def document(**changes: object) -> str:
    settings = Settings.model_validate(changes)
    return write_document(build_statement(settings, "1.2.3"))


def test_document_is_of_the_running_configuration() -> None:
    text = document(
        ae_title="EYES",
        dicom_port=104,
        allow_unknown_peers=True,
        maximum_associations=7,
        duplicates="replace",
        query_maximum_matches=5,
    )

    for words in (
        "Arcuate 1.2.3, application entity `EYES`",
        "| port | 104 |",
        "| TLS port | closed |",
        "| unknown peers | accepted |",
        "| associations at a time | 7 |",
        "policy `replace`",
        "At most 5 matches are told",
    ):
        assert words in text


def test_sections_are_those_of_the_standard_in_their_order() -> None:
    headings = re.findall(r"^## (.+)$", document(), re.MULTILINE)

    assert headings == [
        "1 Overview",
        "2 Contents",
        "3 Introduction",
        "4 Implementation model",
        "5 Service and interoperability description",
        "6 Configuration",
        "7 Network and media communication details",
        "8 Security",
        "Annex A Information objects",
        "Annex B Structured report content",
        "Annex C Private attributes",
        "Annex D Codes",
    ]


def test_measured_field_is_taken_and_never_created() -> None:
    [row] = [
        line
        for line in document().splitlines()
        if line.startswith("| Ophthalmic Visual Field Static Perimetry Measurements Storage | `")
        and line.endswith("| No | Yes | Yes |")
    ]

    assert "80.1" in row
    assert not any(is_measured_field(one.sop_class_uid) for one in emitted_classes())


def test_every_created_object_is_of_a_stated_class_with_stated_codes_only() -> None:
    prediction = build_prediction()
    both = build_both_eyes()
    equipment = Equipment("1.2.3", "node-1")
    reports = [
        *(f.build(prediction, [build_source(prediction)], equipment) for f in REPORT_FORMATS),
        *(f.build_both(both, sources_of(both), equipment) for f in BOTH_EYES_FORMATS),
    ]
    stated = {(one.sop_class_uid, one.modality) for one in emitted_classes()}
    known = {code.value for code in private_codes()}
    for report in reports:
        assert (str(report.SOPClassUID), report.Modality) in stated
        elements = list(report.iterall())
        assert not any(element.tag.is_private for element in elements)
        own = {
            str(item.CodeValue)
            for element in elements
            if element.VR == "SQ"
            for item in element.value
            if item.get("CodingSchemeDesignator") == codes.SCHEME and "CodeValue" in item
        }
        assert own <= known


def test_keys_are_all_that_can_be_asked_for() -> None:
    keys = {key.keyword: key for key in query_keys()}

    assert keys.keys() == ATTRIBUTES.keys()
    told_only = {name for name, key in keys.items() if key.matching == "told only"}
    assert told_only == {name for name in ATTRIBUTES if searchable(name, Level.IMAGE) is None}


def test_statement_is_there_for_programs() -> None:
    routes = [WebRoute("GET", "/dicom-web/studies", "Search studies")]

    told = json.loads(json.dumps(build_statement(Settings(), "1", routes).as_dict()))

    assert told["product"] == "Arcuate"
    assert told["web_routes"] == [
        {"method": "GET", "path": "/dicom-web/studies", "summary": "Search studies"}
    ]
    assert {"accepted", "proposed", "statuses", "query_keys", "private_codes"} <= told.keys()


@pytest.mark.parametrize(
    ("value", "cell"), [(True, "Yes"), (None, "No"), ("a|b\nc", "a\\|b c"), (3, "3")]
)
def test_cell_keeps_to_its_line(value: object, cell: str) -> None:
    assert table(["x"], [[value]]).splitlines()[-1] == f"| {cell} |"


def test_every_class_has_a_name() -> None:
    statement = build_statement(Settings(), "1")

    uids = {context.abstract_syntax for context in statement.accepted}
    uids |= {syntax for context in statement.accepted for syntax in context.transfer_syntaxes}
    assert [uid for uid in uids if named(uid) == uid] == []
