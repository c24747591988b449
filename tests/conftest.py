import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


def miss(what: str) -> None:
    """Skip because something is missing here; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def need() -> Callable[[str], None]:
    """`need("dciodvfy")` skips visibly where that program is not on PATH, and fails in CI."""
    from shutil import which

    def check(program: str) -> None:
        if which(program) is None:
            miss(f"the program {program}")

    return check


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(os.environ.get("ARCUATE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        miss(f"the public test data ({folder})")
    return folder
