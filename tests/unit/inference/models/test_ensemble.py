import numpy as np
import pytest

from inference.models.ensemble import LIMITS_OUTPUT, ensemble_of, training_view
from inference.models.plain_networks import convolutional_field, dense_field


def eyes(count: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [rng.uniform(40, 160, (count, 768, 1)), rng.uniform(30, 80, (count, 1))]


def test_field_is_the_mean_of_the_members() -> None:
    network = ensemble_of([dense_field, convolutional_field], "two")
    view = training_view(network, 2)

    field, _ = network(eyes())
    answers = view(eyes())

    assert set(answers) == {"member_1", "member_2", LIMITS_OUTPUT}
    mean = (np.asarray(answers["member_1"]) + np.asarray(answers["member_2"])) / 2
    assert np.asarray(field) == pytest.approx(mean, abs=1e-5)


def test_limits_lie_the_spread_below_and_above_the_field() -> None:
    network = ensemble_of([dense_field], "one")

    field, spread = (np.asarray(output) for output in network(eyes()))
    limits = np.asarray(training_view(network, 1)(eyes())[LIMITS_OUTPUT])

    assert limits[:, :, 0] == pytest.approx(field - spread[:, :, 0], abs=1e-5)
    assert limits[:, :, 1] == pytest.approx(field + spread[:, :, 1], abs=1e-5)


def test_training_the_limits_leaves_the_members_alone() -> None:
    network = ensemble_of([dense_field], "one")
    view = training_view(network, 1)
    before = [np.asarray(weight) for weight in network.get_layer("member_1").get_weights()]
    spread_before = network.get_layer("spread_both").get_weights()[0].copy()

    targets = {"member_1": np.zeros((64, 52)), LIMITS_OUTPUT: np.zeros((64, 52, 2))}
    losses = {"member_1": "mae", LIMITS_OUTPUT: "mae"}
    view.compile("sgd", loss=losses, loss_weights={"member_1": 0.0, LIMITS_OUTPUT: 1.0})
    view.fit(eyes(64), targets, epochs=1, verbose=0)

    after = network.get_layer("member_1").get_weights()
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    assert not np.array_equal(spread_before, network.get_layer("spread_both").get_weights()[0])
