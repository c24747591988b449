import numpy as np
import pytest

from core.scoring_output import predictions_of
from core.tensor_scores import TensorsRefused
from core.values.reason import Reason, ReasonCode
from core.values.tensors import TensorAnswer

_FIELDS = np.arange(104, dtype=np.float32).reshape(2, 52)


def test_each_row_keeps_its_place() -> None:
    assert predictions_of(TensorAnswer(_FIELDS), "dense_1") == [
        {"id": "dense_1", "values": [list(range(52)), list(range(52, 104))]}
    ]


def test_a_row_that_must_not_be_scored_gets_no_number() -> None:
    unfit = {n: Reason(ReasonCode.OUTSIDE_INTENDED_USE, "too young") for n in range(1, 8)}
    answer = TensorAnswer(np.full((8, 52), np.nan, np.float32), unfit=unfit)

    with pytest.raises(TensorsRefused, match=r"values\[1\]: too young .* And 2 more rows"):
        predictions_of(answer, "dense_1")
