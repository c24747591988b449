import numpy as np
import pytest

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.preparation.grid_sampling import neighbours, places, points_mm
from inference.simulation.disc_shape import DiscShape, DiscView, draw_disc
from inference.simulation.fibre_field import CIRCLE_RADIUS_MM, circle_truth_um, fibres_um
from inference.simulation.macular_volumes import simulate_macular_volume
from inference.simulation.rendering import Light
from inference.simulation.vessels import draw_vessels
from inference.simulation.volume_grid import Grid
from inference.simulation.volumes import SimulatedVolume, VolumeOptions, simulate_volume

TINY = Grid(b_scans=40, rows=256, columns=40, axial_um=7.8)


def simulate(laterality: Laterality = Laterality.RIGHT, seed: int = 1) -> SimulatedVolume:
    options = VolumeOptions(grid=TINY, disc=DiscShape(centre_mm=(0.5, 0.3)), vessels=())
    return simulate_volume(
        normal_profile_um(60.0), laterality, np.random.default_rng(seed), options
    )


def test_volume_has_the_shape_of_its_grid() -> None:
    volume = simulate()

    assert volume.pixels.shape == (40, 256, 40)
    assert volume.pixels.dtype == np.uint8


def test_same_seed_gives_the_same_volume() -> None:
    np.testing.assert_array_equal(simulate().pixels, simulate().pixels)
    assert not np.array_equal(simulate().pixels, simulate(seed=2).pixels)


def test_layer_on_the_circle_is_the_given_profile() -> None:
    profile = normal_profile_um(60.0)

    np.testing.assert_allclose(circle_truth_um(profile, ()), profile, rtol=1e-5)


def test_vessels_lift_the_true_layer() -> None:
    profile = normal_profile_um(60.0)

    lift = circle_truth_um(profile, draw_vessels(np.random.default_rng(1))) - profile

    assert lift.min() > -1e-3
    assert 2 < lift.max() < 40


def test_layer_thins_away_from_the_disc() -> None:
    radii = CIRCLE_RADIUS_MM * np.array([0.6, 1.0, 1.6])
    means = [
        fibres_um(
            normal_profile_um(60.0), (), DiscView(np.full(768, radius), PROFILE_ANGLES_DEGREE)
        ).mean()
        for radius in radii
    ]

    assert means[0] > 1.4 * means[1]
    assert means[2] < 0.75 * means[1]


@pytest.mark.parametrize("laterality", Laterality)
def test_outer_retina_is_missing_inside_the_disc_alone(laterality: Laterality) -> None:
    volume = simulate(laterality)

    temporal, superior = volume.disc.centre_mm
    disc_and_beside = np.array([(temporal, superior), (temporal + 1.6, superior)])
    (row, column), beside = places(volume.geometry, disc_and_beside)
    deep = volume.pixels[:, 128:160].astype(float).max(axis=1)

    inside = deep[round(row) - 1 : round(row) + 2, round(column) - 1 : round(column) + 2].mean()
    outside = deep[
        round(beside[0]) - 1 : round(beside[0]) + 2, round(beside[1]) - 1 : round(beside[1]) + 2
    ].mean()
    assert inside < 0.8 * outside


@pytest.mark.parametrize(("laterality", "step"), [(Laterality.RIGHT, -1), (Laterality.LEFT, 1)])
def test_columns_run_from_image_left_to_image_right(laterality: Laterality, step: int) -> None:
    geometry = Grid().geometry(laterality)

    assert np.sign(geometry.column_step_mm[0]) == step
    assert geometry.row_step_mm[1] < 0
    np.testing.assert_allclose(points_mm(geometry, (200, 200)).mean(axis=(0, 1)), 0, atol=1e-9)


def test_drawn_discs_are_as_large_as_discs_are() -> None:
    discs = [draw_disc(np.random.default_rng(seed)) for seed in range(200)]

    diameters = np.array([2 * np.sqrt(np.prod(disc.radii_mm)) for disc in discs])
    assert 1.4 <= diameters.min() < diameters.max() <= 2.01
    assert np.abs([disc.centre_mm for disc in discs]).max() <= 0.8


def test_places_of_a_grid_are_found_again() -> None:
    geometry = Grid(upward=True).geometry(Laterality.LEFT)
    wanted = np.array([[3.25, 7.5], [120.0, 60.75]])
    near = neighbours(wanted, (200, 200))

    points = (
        points_mm(geometry, (200, 200))[near.rows, near.columns] * near.weights[..., None]
    ).sum(axis=0)

    np.testing.assert_allclose(places(geometry, points), wanted, atol=1e-9)


def test_macula_has_a_pit_in_its_middle() -> None:
    rng = np.random.default_rng(1)
    pixels = simulate_macular_volume(Laterality.RIGHT, rng, TINY, Light(averaged_frames=20))

    surface = (pixels > 110).argmax(axis=1)
    assert surface[19:21, 19:21].mean() > surface[19:21, 30:32].mean() + 5
