import ast
import sys
import tomllib
from importlib.metadata import distributions, version
from pathlib import Path

import pytest
from arcuate_client import types

from api.rest.patient_search import PatientQuery
from api.rest.prediction_search import PredictionQuery
from api.rest.studies import StudyQuery
from api.schemas.patients import PatientDetailOut
from api.schemas.predictions import IndicesOut, PointOut, PredictionOut
from api.schemas.studies import StudyOut
from tests.conftest import REPOSITORY

PACKAGES = ("core", "dicom_node", "inference", "reports", "api", "arcuate")
SOURCES = sorted(path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.py"))


def test_no_other_distribution_ships_our_package_names() -> None:
    ours = {f"{name}/__init__.py" for name in PACKAGES}
    claimants = {
        distribution.name
        for distribution in distributions()
        for file in distribution.files or ()
        if str(file) in ours and distribution.name != "arcuate"
    }

    assert claimants == set()


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.name == "__init__.py"], ids=lambda p: str(p.parent.name)
)
def test_package_file_holds_a_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text("utf-8")).body

    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


def test_only_its_runtimes_import_tensorflow() -> None:
    importers = {
        str(path.relative_to(REPOSITORY)) for path in SOURCES if "tensorflow" in imported_by(path)
    }

    assert importers == {
        "inference/runtimes/keras_tensorflow.py",
        "inference/runtimes/onnx_export.py",
        "inference/runtimes/saved_model.py",
        "inference/runtimes/saved_model_graph.py",
        "inference/runtimes/tensorflow_network.py",
    }


def imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_client_needs_nothing_of_the_node_and_the_node_nothing_of_it() -> None:
    client = REPOSITORY / "client"
    declared = tomllib.loads((client / "pyproject.toml").read_text())
    imports = {name for path in client.rglob("*.py") for name in imported_by(path)}

    assert imports - set(sys.stdlib_module_names) == {"arcuate_client", "httpx"}
    assert declared["project"]["dependencies"] == ["httpx>=0.27"]
    assert declared["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["arcuate_client"]
    assert {path for path in SOURCES if "arcuate_client" in imported_by(path)} == set()


def test_client_names_every_field_of_a_result() -> None:
    pairs = (
        (types.Prediction, PredictionOut),
        (types.PatientDetail, PatientDetailOut),
        (types.Study, StudyOut),
        (types.Indices, IndicesOut),
        (types.Point, PointOut),
        (types.PredictionFilters, PredictionQuery),
        (types.PatientFilters, PatientQuery),
        (types.StudyFilters, StudyQuery),
    )
    not_named = {"limit", "cursor", "agreement", "review_requested", "links"}

    for typed, model in pairs:
        assert set(model.model_fields) - not_named == set(typed.__annotations__) - not_named


def test_broad_except_stands_only_at_the_edges() -> None:
    """An unknown error may be caught only where it is recorded.

    On a job, in a DIMSE status, with a file that is put off, or with a turn that is tried again.
    """
    catchers = {
        str(path.relative_to(REPOSITORY))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", None) == "Exception")
    }

    assert catchers == {
        "core/worker.py",
        "dicom_node/association_log.py",
        "dicom_node/media/watching.py",
        "dicom_node/receive/store_receiver.py",
        "dicom_node/rollup/watch.py",
        "dicom_node/scp/find.py",
    }


def test_changelog_tells_of_this_version() -> None:
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")

    assert declared == version("arcuate")
    assert f"## [{declared}]" in changelog or "## [Unreleased]" in changelog
