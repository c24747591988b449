import numpy as np
import pytest

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.simulation.b_scans import COLUMNS, FRAME, BScanOptions, simulate_b_scan
from inference.simulation.circle_course import CircleCourse
from inference.simulation.rendering import Light
from inference.simulation.vessels import Vessel

NO_VESSELS = BScanOptions(vessels=())


def simulate(seed=1, laterality=Laterality.RIGHT, options=NO_VESSELS, thickness_um=None):
    thickness_um = normal_profile_um(60) if thickness_um is None else thickness_um
    return simulate_b_scan(thickness_um, laterality, np.random.default_rng(seed), options)


def asymmetric_profile_um():
    return normal_profile_um(60) * np.where(np.abs(PROFILE_ANGLES_DEGREE - 280) < 25, 0.4, 1.0)


def test_b_scan_has_the_size_the_spectralis_writes():
    scan = simulate()

    assert scan.pixels.shape == (496, 768)
    assert scan.pixels.dtype == np.uint8


def test_truth_layers_lie_the_given_thickness_apart():
    scan = simulate(thickness_um=asymmetric_profile_um())

    measured_um = (scan.layers.rnfl_row - scan.layers.ilm_row) * FRAME.axial_um
    given_um = np.interp(
        scan.angles_degree, PROFILE_ANGLES_DEGREE, asymmetric_profile_um(), period=360
    )
    np.testing.assert_allclose(measured_um, given_um, atol=0.01)


def test_truth_layers_are_where_the_picture_changes():
    scan = simulate()
    rows = np.rint(scan.layers.ilm_row).astype(int)
    column = np.arange(COLUMNS)

    vitreous = scan.pixels[rows - 3, column].astype(float)
    fibres = scan.pixels[rows + 3, column].astype(float)
    ganglion_cells = scan.pixels[np.rint(scan.layers.rnfl_row).astype(int) + 4, column]

    assert np.mean(fibres - vitreous > 60) == 1.0
    assert np.mean(fibres - ganglion_cells > 15) > 0.95


def test_same_seed_gives_the_same_scan():
    np.testing.assert_array_equal(simulate(seed=5).pixels, simulate(seed=5).pixels)
    assert not np.array_equal(simulate(seed=5).pixels, simulate(seed=6).pixels)


def test_left_eye_is_the_mirror_image_so_its_columns_carry_the_same_angles():
    right = simulate(laterality=Laterality.RIGHT, thickness_um=asymmetric_profile_um())
    left = simulate(laterality=Laterality.LEFT, thickness_um=asymmetric_profile_um())

    np.testing.assert_allclose(left.angles_degree, right.angles_degree, atol=1e-9)
    np.testing.assert_array_equal(left.pixels, right.pixels)


def test_device_that_does_not_mirror_left_eyes_starts_them_nasal():
    course = CircleCourse(start_degree=180.0, clockwise=True)
    scan = simulate(
        laterality=Laterality.LEFT,
        options=BScanOptions(course=course, vessels=()),
        thickness_um=asymmetric_profile_um(),
    )

    thickness_um = (scan.layers.rnfl_row - scan.layers.ilm_row) * FRAME.axial_um
    expected_um = np.interp(
        180 - np.arange(COLUMNS) * 360 / COLUMNS,
        PROFILE_ANGLES_DEGREE,
        asymmetric_profile_um(),
        period=360,
    )
    np.testing.assert_allclose(thickness_um, expected_um, atol=0.01)


def test_weak_signal_dims_the_retina_by_the_display_exponent():
    bright, weak = simulate(), simulate(options=BScanOptions(vessels=(), light=Light(0.1)))
    row = np.rint((bright.layers.ilm_row + bright.layers.rnfl_row) / 2).astype(int)

    ratio = (
        weak.pixels[row, np.arange(COLUMNS)].mean() / bright.pixels[row, np.arange(COLUMNS)].mean()
    )

    assert ratio == pytest.approx(0.1**0.25, abs=0.02)


def test_fewer_averaged_frames_make_a_grainier_scan():
    smooth = simulate(options=BScanOptions(vessels=(), light=Light(averaged_frames=100)))
    grainy = simulate(options=BScanOptions(vessels=(), light=Light(averaged_frames=4)))
    row = np.rint((smooth.layers.ilm_row + smooth.layers.rnfl_row) / 2).astype(int)

    def grain(scan):
        return np.diff(scan.pixels[row, np.arange(COLUMNS)].astype(float)).std()

    assert grain(grainy) > 1.5 * grain(smooth)


def test_noise_factor_raises_the_grain_of_the_vitreous_only():
    quiet = simulate(options=BScanOptions(vessels=(), light=Light(noise_factor=1.0)))
    noisy = simulate(options=BScanOptions(vessels=(), light=Light(noise_factor=8.0)))

    assert noisy.pixels[:60].std() > 1.5 * quiet.pixels[:60].std()
    row = np.rint((quiet.layers.ilm_row + quiet.layers.rnfl_row) / 2).astype(int)
    fibres = [scan.pixels[row, np.arange(COLUMNS)].mean() for scan in (quiet, noisy)]
    assert fibres[1] == pytest.approx(fibres[0], abs=1.0)


def test_tilt_moves_the_retina_by_that_many_rows():
    even_um = np.full(768, 90.0)
    options = BScanOptions(vessels=(), tilt_rows=30.0, undulation_rows=0.0)
    tilted = simulate(options=options, thickness_um=even_um).layers.ilm_row
    flat = simulate(
        options=BScanOptions(vessels=(), tilt_rows=0.0, undulation_rows=0.0), thickness_um=even_um
    ).layers.ilm_row

    assert np.ptp(tilted - flat) == pytest.approx(60.0, abs=0.01)


def test_vessel_lifts_the_inner_membrane_and_darkens_what_is_below():
    vessel = Vessel(angle_degree=90.0, width_um=150.0, bump_um=10.0, shadow=0.9, vein=True)
    with_vessel = simulate(options=BScanOptions(vessels=(vessel,)))
    without = simulate()
    column = int(np.argmin(np.abs(with_vessel.angles_degree - 90.0)))

    def height_um(scan):
        return (scan.layers.rnfl_row - scan.layers.ilm_row)[column] * FRAME.axial_um

    assert height_um(with_vessel) - height_um(without) == pytest.approx(10.0, abs=0.05)
    below = slice(int(without.layers.rnfl_row[column]) + 20, 400)
    beside = slice(column - 2, column + 3)
    ratio = with_vessel.pixels[below, beside].mean() / without.pixels[below, beside].mean()
    assert ratio == pytest.approx(0.1**0.25, abs=0.08)


@pytest.mark.parametrize("share", [0.35, 1.0, 1.6])
def test_retina_stays_inside_the_picture(share):
    for seed in range(8):
        layers = simulate(
            seed=seed, options=None, thickness_um=share * normal_profile_um(60)
        ).layers
        assert layers.ilm_row.min() > 20
        assert layers.rnfl_row.max() < FRAME.rows - 100


def test_profile_of_another_length_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"768 samples, this one has shape \(512,\); resample"):
        simulate(thickness_um=np.full(512, 90.0))
