import asyncio
import json
import logging
import threading
from typing import Any

import pytest

from core.logs import get_logger
from tests.fixtures.logs import configured_logs

NAME = "Sample^Eye"


def fail() -> None:
    raise ValueError(f"cannot read {NAME}")


def only_line(captured: pytest.CaptureFixture[str]) -> dict[str, Any]:
    written = captured.readouterr().err
    assert NAME not in written
    [line] = written.splitlines()
    return dict(json.loads(line))


def test_an_exception_that_a_library_logs_is_told_by_type_and_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with configured_logs():
        try:
            fail()
        except ValueError as error:
            logging.getLogger("pynetdicom.events").exception(error)  # noqa: TRY401 - as it does

    line = only_line(capsys)
    assert (line["event"], line["error"], line["role"]) == ("ValueError", "ValueError", "receive")
    assert line["place"][-1].endswith(" fail")


def test_our_own_line_of_an_exception_has_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    with configured_logs():
        try:
            fail()
        except ValueError:
            get_logger("test").error("broke", exc_info=True)

    line = only_line(capsys)
    assert (line["event"], line["error"]) == ("broke", "ValueError")


def test_a_task_that_nobody_waited_for_is_told_without_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def forget() -> None:
        async def task() -> None:
            fail()

        running = asyncio.ensure_future(task())
        await asyncio.wait([running])

    with configured_logs():
        asyncio.run(forget())

    assert only_line(capsys)["error"] == "ValueError"


def test_a_thread_that_ends_by_an_exception_is_told_by_type_and_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ending = threading.Thread(target=fail, name="listener")
    with configured_logs():
        ending.start()
        ending.join()

    line = only_line(capsys)
    assert (line["event"], line["thread"], line["error"]) == (
        "thread_ended",
        "listener",
        "ValueError",
    )


def test_a_line_without_an_exception_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with configured_logs():
        get_logger("test").info("dicom_listening", port=104)

    line = only_line(capsys)
    assert line["port"] == 104
    assert not {"error", "place"} & set(line)
