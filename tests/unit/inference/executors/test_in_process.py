from typing import get_args

import numpy as np

from core.settings import Settings
from inference.executors.in_process import InProcess
from inference.executors.register import EXECUTORS, executor_of
from inference.predictor import Predictor
from inference.scorer import Scorer
from tests.builders.tensors import build_question


def test_every_executor_can_be_set() -> None:
    annotation = Settings.model_fields["executor"].annotation
    assert [kind.name for kind in EXECUTORS] == list(get_args(annotation))


def test_a_node_computes_itself_until_told_otherwise(
    settings: Settings, shipped_predictor: Predictor
) -> None:
    here = settings.model_copy(update={"device": "cpu"})
    executor = executor_of(here)
    assert executor == InProcess(here)
    asked = build_question((50.0, 60.0))
    found = Scorer.on(executor, shipped_predictor.card).predictor
    expected = shipped_predictor.answer(asked.structure, asked.age_years).sensitivities_db
    given = found.answer(asked.structure, asked.age_years).sensitivities_db
    np.testing.assert_array_equal(given, expected)
