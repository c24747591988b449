import numpy as np

from core.values.fundus import FUNDUS_SHAPE
from inference.models.fundus_field import build_fundus_field
from inference.models.register import architecture


def test_fundus_field_is_registered() -> None:
    assert architecture("fundus_field").build is build_fundus_field


def test_fundus_field_takes_a_ring_and_an_age_and_gives_52_points() -> None:
    network = build_fundus_field()

    assert {entry.name: entry.shape for entry in network.inputs} == {
        "fundus": (None, *FUNDUS_SHAPE),
        "age": (None, 1),
    }
    assert network.layers[-1].name == "dense_1"
    assert network.output_shape == (None, 52)


def test_fundus_field_never_goes_below_zero() -> None:
    network = build_fundus_field()
    rings = np.random.default_rng(1).normal(0, 30, (20, *FUNDUS_SHAPE))

    field = np.asarray(network([rings, np.full((20, 1), 60.0)]))

    assert np.all(field >= 0)
