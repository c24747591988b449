from collections import Counter

import numpy as np

from core.perimetry.nerve_fibres import (
    DISC_DISTANCE_DEGREE,
    DISC_SECTORS,
    ENTRY_ANGLES_DEGREE,
    PASS_GROUPS,
)
from core.perimetry.pattern import X_DEGREE, Y_DEGREE


def test_entry_angles_of_the_superior_field_lie_in_the_inferior_disc() -> None:
    superior_field = Y_DEGREE > 0
    inferior_disc = ENTRY_ANGLES_DEGREE > 180

    assert np.array_equal(superior_field, inferior_disc)


def test_entry_angle_of_the_temporal_field_is_nasal() -> None:
    far_temporal = (X_DEGREE == 21) & (np.abs(Y_DEGREE) == 3)

    assert np.all(np.abs(ENTRY_ANGLES_DEGREE[far_temporal] - 180) < 45)


def test_disc_sectors_have_the_sizes_of_version_b() -> None:
    assert Counter(DISC_SECTORS) == {"IT": 14, "ST": 14, "T": 5, "IN": 8, "SN": 7, "N": 4}


def test_pass_groups_hold_the_points_of_each_pass_nearest_first() -> None:
    for half in (Y_DEGREE > 0, Y_DEGREE < 0):
        groups, distances = PASS_GROUPS[half], DISC_DISTANCE_DEGREE[half]

        assert [np.count_nonzero(groups == number) for number in range(1, 8)] == [
            5, 4, 4, 4, 4, 4, 1,
        ]  # fmt: skip
        assert np.array_equal(np.sort(groups), groups[np.argsort(distances, kind="stable")])
