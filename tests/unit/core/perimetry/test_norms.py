import csv
from pathlib import Path

import numpy as np
import pytest

from core.perimetry.norms import is_within_norm_age, norm_db, norms_db
from core.perimetry.pattern import LOCATIONS, X_DEGREE, Y_DEGREE


def test_norm_falls_with_age_at_every_point() -> None:
    assert np.all(norm_db(80) < norm_db(50))


def test_norm_has_the_published_mean_at_60() -> None:
    assert np.mean(norm_db(60)) == pytest.approx(29.99, abs=0.005)


def test_norm_is_brightest_at_the_centre() -> None:
    norm = norm_db(60)
    central = np.hypot(X_DEGREE, Y_DEGREE) < 6

    assert norm[central].min() > norm[~central].mean()
    assert central[np.argmax(norm)]


def test_norms_of_several_ages_are_the_norms_of_each() -> None:
    ages = np.array([45.0, 72.5])

    assert np.array_equal(norms_db(ages), np.stack([norm_db(45.0), norm_db(72.5)]))


@pytest.mark.parametrize(("age", "within"), [(41.9, False), (42, True), (85, True), (86, False)])
def test_is_within_norm_age_knows_the_people_behind_it(age: float, within: bool) -> None:
    assert is_within_norm_age(age) is within


def test_norm_fits_the_healthy_people_it_was_made_from(shared_data: Path) -> None:
    with (shared_data / "visual-field" / "vfctr.csv").open(newline="") as file:
        tests = list(csv.DictReader(file))
    people: dict[str, list[float]] = {}

    for test in tests:
        field = np.array([float(test[f"l{location}"]) for location in LOCATIONS])
        total = field - norm_db(float(test["age"]))
        people.setdefault(test["id"], []).append(float(np.mean(total)))

    assert len(people) == 91
    assert np.mean([np.mean(means) for means in people.values()]) == pytest.approx(0, abs=0.15)
