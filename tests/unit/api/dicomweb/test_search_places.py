import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.dicomweb.search_places import SearchPlaces
from api.errors import TooManySearches
from arcuate.waiting import wait_until

PATIENCE_SECONDS = 60.0


def test_those_who_wait_go_on_and_one_more_is_refused() -> None:
    places = SearchPlaces(at_a_time=1, most_waiting=1, patience_seconds=PATIENCE_SECONDS)
    under_way, done = threading.Semaphore(0), threading.Event()

    def search() -> None:
        with places.taken():
            under_way.release()
            assert done.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(2) as pool:
        try:
            searches = [pool.submit(search) for _ in range(2)]
            assert under_way.acquire(timeout=PATIENCE_SECONDS)
            assert wait_until(lambda: places.waiting == 1, PATIENCE_SECONDS)
            with pytest.raises(TooManySearches), places.taken():
                raise AssertionError
            assert not under_way.acquire(blocking=False)
        finally:
            done.set()
        assert [one.result(PATIENCE_SECONDS) for one in searches] == [None, None]
    assert under_way.acquire(blocking=False)


def test_whoever_waited_in_vain_is_refused_and_leaves_the_queue() -> None:
    places = SearchPlaces(at_a_time=1, most_waiting=1, patience_seconds=0.01)
    with places.taken():
        for _ in range(2):
            with pytest.raises(TooManySearches), places.taken():
                raise AssertionError
    with places.taken():
        pass


def test_search_that_breaks_gives_its_place_back() -> None:
    places = SearchPlaces(at_a_time=1, most_waiting=1, patience_seconds=0.01)
    with pytest.raises(RuntimeError), places.taken():
        raise RuntimeError
    with places.taken():
        pass
