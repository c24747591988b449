"""An estimate must never leave as a measurement: nothing of ours writes a perimetry object."""

import ast

import pytest
from pydicom import Dataset
from pydicom.uid import OphthalmicVisualFieldStaticPerimetryMeasurementsStorage
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.storage.reports import MeasurementForged, write_report
from tests.architecture.test_packages import SOURCES
from tests.builders.encoded_instance import build_instance
from tests.builders.received import open_test_archive
from tests.conftest import REPOSITORY

OPV = OphthalmicVisualFieldStaticPerimetryMeasurementsStorage
#: May name the class: to accept it, to know it, to refuse to write it, to find what is kept of it.
READERS = {
    "dicom_node/storage/accept_list.py",
    "dicom_node/devices/input_class.py",
    "core/migrations/versions/0015_add_measured_fields.py",
}
#: Elements of group 0024 belong to measured fields alone.
_FIELD_KEYWORDS = ("VisualField", "SensitivityValue", "StimulusResults", "MeasurementLaterality")


def _names(path) -> set[str]:
    text = path.read_text("utf-8")
    return {name for name in ("StaticPerimetryMeasurements", str(OPV), '"80.1"') if name in text}


def test_only_readers_name_the_class() -> None:
    naming = {str(path.relative_to(REPOSITORY)) for path in SOURCES if _names(path)}

    assert naming - READERS == set()


def test_nobody_assigns_an_attribute_of_a_measured_field() -> None:
    assigned = {
        f"{path.relative_to(REPOSITORY)}: {target.attr}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr.startswith(_FIELD_KEYWORDS)
    }

    assert assigned == set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_report_of_that_class_is_refused_where_every_report_is_kept(
    settings: Settings, database: Database
) -> None:
    archive = open_test_archive(settings, database)
    forged: Dataset = build_instance(SOPClassUID=OPV, Modality="OPV")

    with pytest.raises(MeasurementForged):
        write_report(archive.storage, forged)

    with database.reading() as session:
        assert session.exec(select(InstanceRow)).all() == []
    assert list(archive.storage.root.glob("[0-9a-f]*/*.dcm")) == []
