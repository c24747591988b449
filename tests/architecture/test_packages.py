import ast
import tomllib
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

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
