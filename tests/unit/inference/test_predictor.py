import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from core.perimetry.indices import deviations
from core.perimetry.nerve_fibres import DISC_SECTORS
from core.perimetry.pattern import Y_DEGREE
from inference.errors import (
    DeviceUnavailable,
    InputOutsideIntendedUse,
    ModelDamaged,
    PredictionFailed,
)
from inference.intervals import IntervalTable
from inference.model_card import ModelCard, ModelInput, read_card, weights_digest
from inference.model_card_writer import write_card
from inference.model_store import ModelStore
from inference.predictor import Predictor
from inference.probe import probe_eyes
from inference.runtimes.compiled_network import DeviceUsed
from inference.runtimes.network import NetworkAnswer
from tests.golden import retinervenet as golden
from tests.unit.inference.cards import make_model

#: Between processors and builds of TensorFlow, sums are added up in another order: some 1e-4 dB. A
#: hundredth leaves room for that and is far below what anyone could see in a field.
GOLDEN_TOLERANCE_DB = 0.01
#: Between batch sizes on one machine.
BATCH_TOLERANCE_DB = 0.001

#: Between the places of a batch: some processors add up the last of its rows in another order. The
#: largest difference seen was 8e-6 dB (AMD EPYC without AVX-512), on others none.
PLACE_TOLERANCE_DB = 1e-5


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return ModelStore().load_card("retinervenet", "2.1.0")


@pytest.fixture(scope="module")
def predictor(card: ModelCard) -> Predictor:
    return Predictor.load(card, "cpu")


@pytest.fixture(scope="module")
def total_deviations_db(predictor: Predictor) -> dict[str, np.ndarray]:
    """The total deviation the shipped model sees in each golden eye."""
    estimates = predictor.predict(*golden.inputs())
    return {
        eye: deviations(estimate.sensitivities_db, age).total_deviation_db
        for (eye, (age, _)), estimate in zip(golden.EYES.items(), estimates, strict=True)
    }


class FixedNetwork:
    """A network that gives the same field, and spread, to every eye."""

    def __init__(self, field_db: np.ndarray, spread_db: np.ndarray | None = None) -> None:
        self.field_db = field_db
        self.spread_db = spread_db

    @property
    def device_used(self) -> DeviceUsed:
        return DeviceUsed("CPU", "tests")

    def answer(self, _structure: np.ndarray, age_years: np.ndarray) -> NetworkAnswer:
        field_db = np.tile(self.field_db.astype(np.float32), (len(age_years), 1))
        if self.spread_db is None:
            return NetworkAnswer(field_db)
        return NetworkAnswer(field_db, np.tile(self.spread_db, (len(age_years), 1, 1)))


def test_shipped_model_gives_the_golden_answers(predictor: Predictor) -> None:
    answers = json.loads(golden.ANSWERS.read_text())

    estimates = predictor.predict(*golden.inputs())

    assert answers["digest"] == predictor.identity.digest
    for (eye, expected), estimate in zip(
        answers["sensitivities_db"].items(), estimates, strict=True
    ):
        found = estimate.sensitivities_db
        assert found == pytest.approx(np.array(expected), abs=GOLDEN_TOLERANCE_DB), eye


def test_healthy_profile_gives_a_field_near_the_norm(
    total_deviations_db: dict[str, np.ndarray],
) -> None:
    assert np.abs(total_deviations_db["healthy"]).mean() < 1.5


@pytest.mark.parametrize(
    ("arc", "sector", "is_superior_field"),
    [("superior_temporal_arc", "ST", False), ("inferior_temporal_arc", "IT", True)],
)
def test_thin_arc_gives_an_arcuate_loss_in_the_other_half_of_the_field(
    total_deviations_db: dict[str, np.ndarray], arc: str, sector: str, is_superior_field: bool
) -> None:
    lost_db = total_deviations_db["healthy"] - total_deviations_db[arc]

    arcuate = np.array(DISC_SECTORS) == sector
    other_half = (Y_DEGREE > 0) != is_superior_field
    assert lost_db[arcuate].mean() > 4
    assert lost_db[arcuate].mean() > 4 * np.abs(lost_db[other_half]).mean()


def test_thin_disc_gives_an_advanced_loss(total_deviations_db: dict[str, np.ndarray]) -> None:
    assert total_deviations_db["advanced"].mean() < -12


def test_profile_of_a_real_scan_without_thinning_gives_a_field_near_the_norm(
    predictor: Predictor, shared_data: Path
) -> None:
    layers = shared_data / "oct" / "spectralis_circle_od" / "device_layers.csv"
    with layers.open(newline="") as file:
        profile = np.array([float(row["rnfl_um"]) for row in csv.DictReader(file)], np.float32)

    (estimate,) = predictor.predict(profile[None, :], np.array([52.9], np.float32))

    assert deviations(estimate.sensitivities_db, 52.9).mean_deviation_db == pytest.approx(0, abs=2)
    assert np.ptp(estimate.sensitivities_db) > 3


def test_prediction_does_not_depend_on_the_batch(predictor: Predictor) -> None:
    rng = np.random.default_rng(3)
    profiles = rng.uniform(30, 150, (70, 768)).astype(np.float32)
    ages = rng.uniform(30, 90, 70).astype(np.float32)

    together = predictor.predict(profiles, ages)
    backwards = predictor.predict(profiles[::-1], ages[::-1])[::-1]
    alone = [predictor.predict(profiles[i : i + 1], ages[i : i + 1])[0] for i in range(70)]

    assert len(together) == 70
    for first, second, third in zip(together, backwards, alone, strict=True):
        expected = pytest.approx(first.sensitivities_db, abs=BATCH_TOLERANCE_DB)
        assert second.sensitivities_db == expected
        assert third.sensitivities_db == expected


def test_prediction_of_no_eyes_is_empty(predictor: Predictor) -> None:
    assert predictor.predict(np.zeros((0, 768), np.float32), np.zeros(0, np.float32)) == []


def test_prediction_encloses_each_estimate_within_what_a_perimeter_shows(
    predictor: Predictor,
) -> None:
    for estimate in predictor.predict(*golden.inputs()):
        assert np.all(estimate.lower_db >= 0)
        assert np.all(estimate.lower_db <= estimate.sensitivities_db)
        assert np.all(estimate.sensitivities_db <= estimate.upper_db)
        assert np.all(estimate.upper_db <= 40)


@pytest.mark.parametrize("missing", ["profile", "age"])
def test_prediction_refuses_what_is_missing(predictor: Predictor, missing: str) -> None:
    profiles, ages = golden.inputs()
    (profiles[1] if missing == "profile" else ages)[2] = np.nan

    with pytest.raises(InputOutsideIntendedUse, match="missing samples or its age"):
        predictor.predict(profiles, ages)


def test_prediction_refuses_profiles_of_another_length(predictor: Predictor) -> None:
    with pytest.raises(InputOutsideIntendedUse, match="768 × 1"):
        predictor.predict(np.zeros((1, 256), np.float32), np.full(1, 60, np.float32))


def test_prediction_clips_at_what_a_perimeter_shows(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path), FixedNetwork(np.full(52, 41.0)))

    (estimate,) = predictor.predict(*(values[:1] for values in golden.inputs()))

    assert np.array_equal(estimate.sensitivities_db, np.full(52, 40))
    assert np.array_equal(estimate.lower_db, np.full(52, 35))


@pytest.mark.parametrize(
    "field", [np.full(52, np.nan), np.full(52, np.inf), np.zeros(54)], ids=["nan", "inf", "54"]
)
def test_prediction_fails_on_anything_but_a_finite_field(tmp_path: Path, field: np.ndarray) -> None:
    predictor = Predictor(make_model(tmp_path), FixedNetwork(field))

    with pytest.raises(PredictionFailed, match="finite field") as failure:
        predictor.predict(*golden.inputs())

    assert failure.value.retry


@pytest.mark.parametrize(
    "spread",
    [np.full((52, 2), np.nan), np.zeros((52, 2)), np.full((52, 2), -1.0), np.ones((52, 3))],
    ids=["nan", "zero", "negative", "three"],
)
def test_prediction_fails_on_anything_but_a_positive_spread(
    tmp_path: Path, spread: np.ndarray
) -> None:
    predictor = Predictor(make_model(tmp_path), FixedNetwork(np.full(52, 25.0), spread))

    with pytest.raises(PredictionFailed, match="finite, positive spread"):
        predictor.predict(*golden.inputs())


def test_spread_of_the_network_makes_the_interval_where_the_card_has_factors(
    tmp_path: Path,
) -> None:
    factors = IntervalTable(0.9, (), lower_factors=(1.5,), upper_factors=(2.0,))
    card = replace(make_model(tmp_path), intervals=factors)
    spread = np.tile(np.array([4.0, 3.0]), (52, 1))
    predictor = Predictor(card, FixedNetwork(np.full(52, 25.0), spread))

    (estimate,) = predictor.predict(*(values[:1] for values in golden.inputs()))

    assert np.array_equal(estimate.lower_db, np.full(52, 19))
    assert np.array_equal(estimate.upper_db, np.full(52, 31))


def test_prediction_without_age_in_the_card_needs_none(tmp_path: Path) -> None:
    card = replace(make_model(tmp_path), inputs=(ModelInput("profile", (768, 1), "µm"),))
    profiles, ages = golden.inputs()

    estimates = Predictor(card, FixedNetwork(np.full(52, 25.0))).predict(profiles, ages * np.nan)

    assert len(estimates) == len(ages)


def test_prediction_takes_profiles_with_and_without_their_last_axis(predictor: Predictor) -> None:
    profiles, ages = golden.inputs()

    without, with_it = (predictor.predict(given, ages) for given in (profiles, profiles[..., None]))

    for first, second in zip(without, with_it, strict=True):
        assert np.array_equal(first.sensitivities_db, second.sensitivities_db)


def test_prediction_takes_photographs_of_the_shape_of_the_card_only(tmp_path: Path) -> None:
    card = replace(make_model(tmp_path), inputs=(ModelInput("fundus", (8, 6, 2), "ring"),))
    predictor = Predictor(card, FixedNetwork(np.full(52, 25.0)))
    ages = np.full(3, 60, np.float32)

    assert len(predictor.predict(np.zeros((3, 8, 6, 2), np.float32), ages)) == 3
    with pytest.raises(InputOutsideIntendedUse, match="a fundus of 8 × 6 × 2"):
        predictor.predict(np.zeros((3, 6, 8, 2), np.float32), ages)


def test_predictor_says_where_it_ran(predictor: Predictor) -> None:
    assert re.fullmatch(r"CPU \(TensorFlow 2\.\S+, Keras 3\.\S+\)", str(predictor.device_used))


def test_load_refuses_changed_weights(card: ModelCard, tmp_path: Path) -> None:
    copy = read_card(copytree(card.folder, tmp_path / card.folder.name))
    copy.weights_path.write_bytes(copy.weights_path.read_bytes() + b"\0")

    with pytest.raises(ModelDamaged, match="digest"):
        Predictor.load(copy, "cpu")


def test_load_refuses_weights_that_are_no_network(tmp_path: Path) -> None:
    card = make_model(tmp_path)

    with pytest.raises(ModelDamaged, match="not a network"):
        Predictor.load(card, "cpu")


# Keras itself warns when it saves with TensorFlow and NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_load_refuses_a_network_that_gives_no_field(card: ModelCard, tmp_path: Path) -> None:
    import keras

    copy = read_card(copytree(card.folder, tmp_path / card.folder.name))
    profile, age = keras.Input((768, 1)), keras.Input((1,))
    features = keras.layers.Concatenate()([keras.layers.Flatten()(profile), age])
    keras.Model([profile, age], keras.layers.Dense(50)(features)).save(copy.weights_path)
    changed = replace(copy, digest=weights_digest(copy.weights_path))
    write_card(changed)

    with pytest.raises(ModelDamaged, match="52"):
        Predictor.load(changed, "cpu")


@pytest.mark.parametrize("device", ["gpu:99", "tpu", "gpu:x", ""])
def test_load_names_a_device_that_is_not_there(card: ModelCard, device: str) -> None:
    with pytest.raises(DeviceUnavailable):
        Predictor.load(card, device)


def run_python(code: str, **environment: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout.strip()


def test_importing_predictor_card_and_store_loads_no_network_library() -> None:
    loaded = run_python(
        "import sys, inference.predictor, inference.model_card, inference.model_store\n"
        "print(sorted({'tensorflow', 'keras', 'jax', 'onnxruntime'} & set(sys.modules)))"
    )

    assert loaded == "[]"


@pytest.mark.parametrize("size", [4, 16, 64])
def test_eye_has_the_same_field_wherever_it_stands_among_others(
    shipped_predictor: Predictor, size: int
) -> None:
    structure, ages = probe_eyes(shipped_predictor.card, size)
    fewer = size // 4 + 1

    whole = shipped_predictor.answer(structure, ages).sensitivities_db
    turned = shipped_predictor.answer(structure[::-1], ages[::-1]).sensitivities_db
    padded = shipped_predictor.answer(structure[:fewer], ages[:fewer]).sensitivities_db

    assert np.abs(turned[::-1] - whole).max() <= PLACE_TOLERANCE_DB
    assert np.abs(padded - whole[:fewer]).max() <= PLACE_TOLERANCE_DB
