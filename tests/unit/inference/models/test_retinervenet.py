from functools import partial

import numpy as np
import pytest

from core.perimetry.nerve_fibres import PASS_GROUPS
from core.perimetry.pattern import Y_DEGREE
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.models.ensemble import ensemble_of
from inference.models.register import ARCHITECTURES, architecture
from inference.models.retinervenet import (
    HALVES,
    MEMBERS,
    POINTS_PER_PASS,
    Design,
    build_retinervenet,
    field_of,
)


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
    assert [layer.name for layer in network.layers if layer.name in {"dense_1", "spread"}] == [
        "dense_1",
        "spread",
    ]
    assert network.output_shape == [(None, 52), (None, 52, 2)]


def test_retinervenet_never_goes_below_zero() -> None:
    network = build_retinervenet()
    profiles = np.random.default_rng(1).uniform(-500, 900, (50, 768, 1))

    field, spread = network([profiles, np.full((50, 1), 60.0)])

    assert np.all(np.asarray(field) >= 0)
    assert np.all(np.asarray(spread) > 0)


def test_progression_layer_is_one_for_all_passes() -> None:
    network = build_retinervenet()

    for number in range(1, len(MEMBERS) + 1):
        for half in HALVES:
            progression = network.get_layer(f"member_{number}_{half.name}_progression")
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
    inferior, superior = (
        network.get_layer(f"member_1_{half.name}_places").output for half in HALVES
    )
    places = keras.Model(network.inputs, [inferior, superior])
    profile = np.full((1, 768, 1), 90.0)
    thinned = profile.copy()
    thinned[:, 128:256] = 40
    ages = np.full((1, 1), 60.0)

    before, after = places([profile, ages]), places([thinned, ages])

    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])


@pytest.mark.parametrize(
    "design",
    [
        Design(),
        Design(passes=1),
        Design(two_halves=False),
        Design(age=False),
        Design(whole_disc=False),
        Design(age=False, whole_disc=False),
    ],
    ids=repr,
)
def test_every_design_gives_a_field_that_depends_on_what_it_reads(design: Design) -> None:
    network = ensemble_of([partial(field_of, design=design)], "variant")
    profiles = np.random.default_rng(2).uniform(40, 160, (2, 768, 1))
    ages = np.array([[30.0], [80.0]])

    field, _ = network([profiles, ages])
    same_profile, _ = network([profiles[[0, 0]], ages])

    assert field.shape == (2, 52)
    assert np.ptp(np.asarray(field), axis=0).max() > 0
    # The same twice in one batch may differ by what a processor rounds.
    depends_on_age = bool(np.ptp(np.asarray(same_profile), axis=0).max() > 1e-4)
    assert depends_on_age == design.age
