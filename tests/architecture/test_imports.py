"""What a linter cannot see: which modules a fresh interpreter really loads."""

import subprocess
import sys

HEAVY = ("tensorflow", "keras", "jax", "torch", "onnxruntime")


def loaded_by(module: str) -> set[str]:
    """Return the top-level modules that importing one brings into a fresh interpreter."""
    program = (
        f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


#: Imported one after the other by the same interpreter: the first that loads one is named.
LIGHT = (
    *("core.worker", "core.predictions", "dicom_node.application_entity"),
    *("dicom_node.devices.reading", "dicom_node.delivery.reporting", "reports.register"),
    *("api.app", "api.server", "arcuate.cli", "arcuate.supervisor"),
    *("inference.analysis", "inference.loading"),
)


def test_only_what_computes_loads_what_computes() -> None:
    program = (
        "import importlib, sys\n"
        f"for module in {LIGHT}:\n"
        "    importlib.import_module(module)\n"
        f"    print(module, *sorted(set({HEAVY}) & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines() == list(LIGHT)


def test_receiver_loads_no_report_library() -> None:
    assert loaded_by("dicom_node.application_entity").isdisjoint({"highdicom", "matplotlib"})


def test_folder_loads_no_library_of_buckets() -> None:
    assert "obstore" not in loaded_by("arcuate.node, arcuate.deliver_role, arcuate.checks")


def sqlite_version_after(imports: str) -> str:
    """Return the SQLite version a fresh interpreter runs on after these imports."""
    program = (
        f"import {imports}\n"
        "from core.database import sqlite_module\n"
        "run = sqlite_module().connect(':memory:').execute('SELECT sqlite_version()')\n"
        "print(run.fetchone()[0])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_tensorflow_does_not_replace_the_sqlite_library() -> None:
    """TensorFlow shows the symbols of a SQLite of its own to every library loaded after it."""
    beside_tensorflow = sqlite_version_after("core.database, inference.runtimes.keras_tensorflow")

    assert beside_tensorflow == sqlite_version_after("core.database")


def test_tensorflow_is_found_where_it_is_meant_to_be() -> None:
    assert "tensorflow" in loaded_by("inference.runtimes.keras_tensorflow")
