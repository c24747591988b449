from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from dicom_node.devices.examination_time import read_acquired_at, read_age_years

SCANNED = datetime(2024, 3, 20, 10, 30, tzinfo=UTC)


def with_values(**values: str) -> Dataset:
    """A data set with values of any VR, allowed or not."""
    dataset = Dataset()
    for keyword, value in values.items():
        dataset.add(DataElement(Tag(keyword), "LO", value, validation_mode=config.IGNORE))
    return dataset


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20240320103005", datetime.fromisoformat("2024-03-20T10:30:05")),
        ("20240320103005.25", datetime.fromisoformat("2024-03-20T10:30:05.250000")),
        ("20240320", datetime.fromisoformat("2024-03-20T00:00:00")),
        ("202403201030+0100", datetime.fromisoformat("2024-03-20T10:30:00+01:00")),
        ("202403201030-0530", datetime.fromisoformat("2024-03-20T10:30:00-05:30")),
        ("20240320103060", datetime.fromisoformat("2024-03-20T10:30:59")),
    ],
)
def test_acquired_at_is_what_the_device_wrote(text: str, moment: datetime) -> None:
    assert read_acquired_at(with_values(AcquisitionDateTime=text)) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "20241320", "2024", "20240320+9999", "\0"])
def test_acquired_at_is_none_where_unreadable(text: str) -> None:
    assert read_acquired_at(with_values(AcquisitionDateTime=text)) is None


@pytest.mark.parametrize("text", ["00010101", "00010101000000+1200", "99991231235959-1200"])
def test_acquired_at_is_none_where_the_device_knew_none(text: str) -> None:
    """Such a moment has no time in every zone, and telling it in another one is an error."""
    assert read_acquired_at(with_values(AcquisitionDateTime=text)) is None


def test_acquired_at_uses_the_zone_of_the_object() -> None:
    dataset = with_values(AcquisitionDateTime="20240320103000", TimezoneOffsetFromUTC="+0200")

    assert read_acquired_at(dataset) == datetime(
        2024, 3, 20, 10, 30, tzinfo=timezone(timedelta(hours=2))
    )


def test_acquired_at_falls_back_to_date_and_time_and_to_the_frame() -> None:
    content, group = with_values(FrameAcquisitionDateTime="20240320103000"), Dataset()
    group.FrameContentSequence = Sequence([content])
    framed = with_values(AcquisitionDateTime="")
    framed.PerFrameFunctionalGroupsSequence = Sequence([group])
    moment = datetime.fromisoformat("2024-03-20T10:30:00")

    apart = with_values(AcquisitionDate="20240320", AcquisitionTime="103000")

    assert (read_acquired_at(apart), read_acquired_at(framed)) == (moment, moment)


def test_acquired_at_is_not_the_date_of_something_else() -> None:
    assert read_acquired_at(with_values(StudyDate="20240320", ContentDate="20240320")) is None


@pytest.mark.parametrize(
    ("values", "age_years"),
    [
        ({"PatientBirthDate": "19640320"}, 60.0),
        ({"PatientBirthDate": "19640320", "PatientAge": "060Y"}, 60.0),
        ({"PatientAge": "061Y"}, 61.0),
        ({"PatientAge": "018M"}, 1.5),
        ({"PatientAge": "026W"}, 0.5),
    ],
)
def test_age_is_that_at_the_scan(values: dict[str, str], age_years: float) -> None:
    assert read_age_years(with_values(**values), SCANNED) == pytest.approx(age_years, abs=0.01)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"PatientBirthDate": "19640320", "PatientAge": "040Y"},
        {"PatientBirthDate": "20250101"},
        {"PatientBirthDate": "18640320"},
        {"PatientBirthDate": "1964"},
        {"PatientAge": "60"},
        {"PatientAge": "130Y"},
        {"PatientBirthDate": "19640320", "StudyDate": "20040320"},
    ],
    ids=[
        "none",
        "contradiction",
        "unborn",
        "too old",
        "year only",
        "no unit",
        "implausible",
        "clock",
    ],
)
def test_age_is_none_where_it_is_not_certain(values: dict[str, str]) -> None:
    assert read_age_years(with_values(**values), SCANNED) is None


def test_age_without_acquisition_time_is_that_at_the_study() -> None:
    dataset = with_values(PatientBirthDate="19640320", StudyDate="20240320")

    assert read_age_years(dataset, None) == pytest.approx(60.0, abs=0.01)
