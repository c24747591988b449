import threading

from arcuate.roles import run_together


def test_where_one_loop_ends_all_do() -> None:
    stopping, ended = threading.Event(), []

    def wait() -> None:
        ended.append(stopping.wait(30))

    run_together([wait, wait, lambda: None], stopping)

    assert ended == [True, True]
