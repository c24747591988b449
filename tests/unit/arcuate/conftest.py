from collections.abc import Iterator

import pytest

from tests.fixtures.logs import restored_logs


@pytest.fixture(autouse=True)
def logs_of_a_command() -> Iterator[None]:
    """Let no log go on to what was standard error of a command that a test ran."""
    with restored_logs():
        yield
