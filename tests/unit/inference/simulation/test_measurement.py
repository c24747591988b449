import numpy as np
import pytest

from inference.simulation.measurement import measure_fields, retest_sd_db


@pytest.mark.parametrize(
    ("true_db", "published_sd_db"), [(31, 1.30), (27, 1.63), (23, 2.70), (19, 4.43), (16, 5.8)]
)
def test_retest_sd_follows_the_published_spread(true_db: float, published_sd_db: float) -> None:
    assert retest_sd_db(np.array([true_db]))[0] == pytest.approx(published_sd_db, rel=0.2)


def test_measured_fields_are_whole_decibel_a_perimeter_can_show() -> None:
    measured = measure_fields(np.random.default_rng(1), np.full((200, 52), 1.0))

    assert np.array_equal(measured, np.round(measured))
    assert measured.min() == 0


def test_measured_fields_share_the_effect_of_the_visit() -> None:
    measured = measure_fields(np.random.default_rng(1), np.full((20000, 52), 28.0))

    independent = retest_sd_db(np.array([28.0]))[0] / np.sqrt(52)
    assert np.std(measured.mean(axis=1)) == pytest.approx(np.hypot(0.56, independent), abs=0.02)
