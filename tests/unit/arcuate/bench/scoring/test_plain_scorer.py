from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from arcuate.bench.scoring.plain_scorer import score
from arcuate.demo_expectations import samples_folder
from core.settings import Settings
from inference.examination import examine
from inference.loading import scoring_cards
from inference.model_card import ModelCard, ModelKind
from inference.predictor import Predictor
from inference.runtimes.keras_file import read_keras
from inference.scorer import Scorer
from inference.stored_scan import StoredScan


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return scoring_cards(Settings())[ModelKind.PROFILE]


@pytest.fixture(scope="module")
def network(card: ModelCard) -> Any:
    return read_keras(card.weights_path)


def sample(name: str) -> bytes:
    return (samples_folder() / name).read_bytes()


def test_it_predicts_the_field_that_the_node_does(card: ModelCard, network: Any) -> None:
    name = "healthy/right_oct.dcm"

    uid, *field_db = score(sample(name), card, network).split()

    dataset = dcmread(samples_folder() / name)
    found = examine(StoredScan(dataset), {card.kind: card.trained_age_range_years})
    (expected,) = Scorer(Predictor.load(card, "cpu")).estimate([found])
    assert expected is not None
    assert uid == dataset.SOPInstanceUID
    assert np.allclose([float(value) for value in field_db], expected.sensitivities_db, atol=0.01)


def test_it_leaves_localizers_and_tells_of_scans_without_a_field(
    card: ModelCard, network: Any
) -> None:
    assert score(sample("healthy/right_localizer_op.dcm"), card, network) == ""
    assert len(score(sample("macular_line/right_oct.dcm"), card, network).split()) == 1
