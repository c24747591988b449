"""Each extension is one file, one line in its folder's register, one test."""

import ast
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

#: What tells an extension of each folder from the files that serve it: a definition of this name.
EXTENSIONS = {
    "dicom_node/devices": "recognises",
    "inference/models": "build_",
    "inference/runtimes": "load_network",
    "inference/executors": "network",
    "reports": "build",
    "dicom_node/delivery/targets": "commitment_of",
}


def definitions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def extensions(folder: str) -> set[str]:
    """Return the modules of a folder that offer what its register lists."""
    mark = EXTENSIONS[folder]
    return {
        path.stem
        for path in (REPOSITORY / folder).glob("*.py")
        if any(
            name == mark or (mark.endswith("_") and name.startswith(mark))
            for name in definitions(path)
        )
        # The protocol itself.
        and "Protocol)" not in path.read_text("utf-8")
    }


def listed(folder: str) -> set[str]:
    """Return the modules of its own folder that a register imports."""
    tree = ast.parse((REPOSITORY / folder / "register.py").read_text("utf-8"))
    package = folder.replace("/", ".")
    return {
        node.module.removeprefix(f"{package}.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(package)
    }


@pytest.mark.parametrize("folder", EXTENSIONS)
def test_every_extension_is_listed(folder: str) -> None:
    assert extensions(folder) != set()
    assert extensions(folder) - listed(folder) == set()


@pytest.mark.parametrize("folder", EXTENSIONS)
def test_every_extension_has_a_test(folder: str) -> None:
    tests = {path.stem for path in (REPOSITORY / "tests" / "unit" / folder).glob("test_*.py")}

    untested = {name for name in extensions(folder) if f"test_{name}" not in tests}

    assert untested == set()
