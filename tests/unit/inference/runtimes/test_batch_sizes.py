import pytest

from core.errors import InfrastructureError
from inference.errors import OutOfMemory
from inference.runtimes.batch_sizes import BatchSizes


def test_smallest_size_that_holds_the_eyes_is_taken() -> None:
    batches = BatchSizes((1, 4, 16, 64))

    assert [batches.fitting(count) for count in (1, 2, 4, 5, 17, 64)] == [1, 4, 4, 16, 64, 64]


def test_largest_size_is_halved_down_to_a_single_eye() -> None:
    batches, seen = BatchSizes((1, 4, 16, 64)), []

    while batches.largest > 1:
        batches.halve(OutOfMemory("The device is full."))
        seen.append(batches.sizes)

    assert seen == [(1, 4, 16, 32), (1, 4, 16), (1, 4, 8), (1, 4), (1, 2), (1,)]
    with pytest.raises(InfrastructureError, match=r"The device is full\. Free memory on it, take"):
        batches.halve(OutOfMemory("The device is full."))
