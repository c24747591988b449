"""What is deployed: the wheel must hold every file the code reads, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import REPOSITORY

PACKAGES = ("core", "dicom_node", "inference", "reports", "api", "arcuate")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(folder)], cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_file_of_the_packages(names: set[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert set(listed.stdout.split()) - names == set()


def test_wheel_ships_neither_tests_nor_samples(names: set[str]) -> None:
    top_level = {Path(name).parts[0] for name in names if ".dist-info" not in name}

    assert top_level == set(PACKAGES)
