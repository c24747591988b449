import os

from core.settings import Settings


def test_one_processor_is_left_to_the_process_that_predicts() -> None:
    processors = len(os.sched_getaffinity(0))

    assert Settings().preparation_processes_used == processors


def test_number_that_is_given_is_used() -> None:
    given = [Settings(preparation_processes=count) for count in (0, 3)]

    assert [settings.preparation_processes_used for settings in given] == [0, 3]
