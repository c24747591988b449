import numpy as np
import pytest

from core.perimetry.nerve_fibres import PASS_GROUPS
from core.perimetry.pattern import Y_DEGREE
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.models.register import ARCHITECTURES, architecture
from inference.models.retinervenet import HALVES, POINTS_PER_PASS, build_retinervenet


def test_retinervenet_is_registered() -> None:
    assert architecture("retinervenet") is ARCHITECTURES[0]
    with pytest.raises(ValueError, match="there are retinervenet"):
        architecture("other")


def test_retinervenet_takes_a_profile_and_an_age_and_gives_52_points() -> None:
    network = build_retinervenet()

    assert {entry.name: entry.shape for entry in network.inputs} == {
        "profile": (None, 768, 1),
        "age": (None, 1),
    }
    assert network.layers[-1].name == "dense_1"
    assert network.output_shape == (None, 52)


def test_retinervenet_never_goes_below_zero() -> None:
    network = build_retinervenet()
    profiles = np.random.default_rng(1).uniform(-500, 900, (50, 768, 1))

    field = np.asarray(network([profiles, np.full((50, 1), 60.0)]))

    assert np.all(field >= 0)


def test_progression_layer_is_one_for_all_passes() -> None:
    network = build_retinervenet()

    for half in HALVES:
        progression = network.get_layer(f"{half.name}_progression")
        assert len(progression._inbound_nodes) == len(POINTS_PER_PASS)


def test_halves_serve_the_opposite_half_of_the_field_pass_by_pass() -> None:
    inferior_disc, superior_disc = HALVES

    assert np.all(Y_DEGREE[inferior_disc.points] > 0)
    assert np.all(Y_DEGREE[superior_disc.points] < 0)
    for half in HALVES:
        assert sorted(PASS_GROUPS[half.points]) == PASS_GROUPS[half.points].tolist()
        assert np.bincount(PASS_GROUPS[half.points])[1:].tolist() == list(POINTS_PER_PASS)


def test_halves_are_cut_from_the_temporal_end_with_a_margin() -> None:
    angles = np.asarray(PROFILE_ANGLES_DEGREE)[None, :, None]

    inferior, superior = (np.asarray(half.cut(angles))[0, :, 0] for half in HALVES)

    assert inferior.shape == superior.shape == (480,)
    assert inferior[[0, -1]] == pytest.approx([22.5, 157.5], abs=0.5)
    assert superior[[0, -1]] == pytest.approx([337.5, 202.5], abs=0.5)
    assert np.all(np.diff(np.unwrap(inferior, period=360)) < 0)
    assert np.all(np.diff(np.unwrap(superior, period=360)) > 0)


def test_passes_of_a_half_do_not_see_the_other_half_but_through_the_level() -> None:
    import keras

    network = build_retinervenet()
    inferior, superior = (network.get_layer(f"{half.name}_places").output for half in HALVES)
    places = keras.Model(network.inputs, [inferior, superior])
    profile = np.full((1, 768, 1), 90.0)
    thinned = profile.copy()
    thinned[:, 128:256] = 40
    ages = np.full((1, 1), 60.0)

    before, after = places([profile, ages]), places([thinned, ages])

    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])
