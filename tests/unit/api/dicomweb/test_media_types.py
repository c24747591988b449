import pytest

from api.dicomweb.media_types import choose_json, parse_media_type
from api.errors import NotAcceptable

DICOM_JSON = "application/dicom+json"


@pytest.mark.parametrize(
    "text",
    [
        'multipart/related; type="application/dicom"; boundary=b-1',
        'Multipart/RELATED;TYPE=application/dicom;Boundary="b-1"',
        'multipart/related ; start="<a>" ; boundary="b-1" ; type=application/dicom',
    ],
)
def test_parameters_are_read_quoted_or_not_in_any_case(text: str) -> None:
    media_type = parse_media_type(text)

    assert media_type.name == "multipart/related"
    assert media_type.parameters["type"] == "application/dicom"
    assert media_type.parameters["boundary"] == "b-1"


@pytest.mark.parametrize("text", ["", ";", "boundary*=utf-8''b", "\x00"])
def test_what_is_no_media_type_names_nothing_known(text: str) -> None:
    media_type = parse_media_type(text)

    assert "/" not in media_type.name
    assert "boundary" not in media_type.parameters


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, DICOM_JSON),
        ("", DICOM_JSON),
        ("*/*", DICOM_JSON),
        ("application/*", DICOM_JSON),
        ("Application/DICOM+json", DICOM_JSON),
        ("application/dicom+xml, application/dicom+json;q=0.1", DICOM_JSON),
        ("application/dicom+json, application/json", DICOM_JSON),
        ("application/json", "application/json"),
        ("application/dicom+json;q=0, */*", "application/json"),
    ],
)
def test_json_is_chosen_by_the_name_the_client_takes(accept: str | None, chosen: str) -> None:
    assert choose_json(accept) == chosen


@pytest.mark.parametrize(
    "accept", ["application/dicom+xml", "text/html", "*/*;q=0", "*/*;q=much", "json"]
)
def test_a_client_that_takes_no_json_is_told(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        choose_json(accept)
