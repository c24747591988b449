import csv
from pathlib import Path

import numpy as np

from core.perimetry.pattern import (
    BLIND_SPOT_LOCATIONS,
    LOCATIONS,
    MIRROR_INDEX,
    SPACING_DEGREE,
    X_DEGREE,
    Y_DEGREE,
    x_as_patient_sees,
)
from core.perimetry.points import float_column, integer_column, text_column
from core.values.laterality import Laterality


def test_locations_are_1_to_54_without_the_blind_spot() -> None:
    assert LOCATIONS.tolist() == [n for n in range(1, 55) if n not in BLIND_SPOT_LOCATIONS]


def test_points_are_52_places_on_the_grid_half_of_them_superior() -> None:
    assert len(set(zip(X_DEGREE, Y_DEGREE, strict=True))) == 52
    assert np.all((X_DEGREE - SPACING_DEGREE / 2) % SPACING_DEGREE == 0)
    assert np.all((Y_DEGREE - SPACING_DEGREE / 2) % SPACING_DEGREE == 0)
    assert np.count_nonzero(Y_DEGREE > 0) == 26


def test_points_run_row_by_row_from_the_top_left() -> None:
    assert np.lexsort((X_DEGREE, -Y_DEGREE)).tolist() == list(range(52))


def test_points_leave_the_temporal_blind_spot_out_and_reach_into_the_nasal_field() -> None:
    places = set(zip(X_DEGREE, Y_DEGREE, strict=True))

    assert places.isdisjoint({(15, 3), (15, -3)})
    assert {(-27, 3), (-27, -3)} <= places
    assert {(27, 3), (27, -3)}.isdisjoint(places)


def test_mirror_index_turns_the_field_upside_down_and_back() -> None:
    assert np.array_equal(MIRROR_INDEX[MIRROR_INDEX], np.arange(52))
    assert np.array_equal(X_DEGREE[MIRROR_INDEX], X_DEGREE)
    assert np.array_equal(Y_DEGREE[MIRROR_INDEX], -Y_DEGREE)


def test_x_as_patient_sees_puts_the_blind_spot_on_the_side_of_the_eye() -> None:
    assert np.array_equal(x_as_patient_sees(Laterality.RIGHT), X_DEGREE)
    assert np.array_equal(x_as_patient_sees(Laterality.LEFT), -X_DEGREE)


def test_columns_are_read_only() -> None:
    assert not X_DEGREE.flags.writeable
    assert not LOCATIONS.flags.writeable


def test_table_holds_the_published_values(shared_data: Path) -> None:
    path = shared_data / "visual-field" / "vf242_points.csv"
    with path.open(newline="") as file:
        published = list(csv.DictReader(file))
    sources = {
        "x_degree": "x_deg",
        "y_degree": "y_deg",
        "entry_angle_degree": "tsnit_circle12_rgc_deg",
        "disc_distance_degree": "disc_dist_deg",
        "norm_intercept_db": "norm_sunyiu_intercept",
        "norm_slope_db_per_year": "norm_sunyiu_slope_per_yr",
        "norm_deviation_sd_db": "norm_sd_td",
    }

    for ours, theirs in sources.items():
        assert float_column(ours).tolist() == [float(row[theirs]) for row in published], ours
    for ours, theirs in {
        "location": "loc54",
        "mirror_index": "mirror_idx52",
        "pass_group": "pass_group",
    }.items():
        assert integer_column(ours).tolist() == [int(row[theirs]) for row in published], ours
    assert list(text_column("disc_sector")) == [row["gh_sector_B"] for row in published]
