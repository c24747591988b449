from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inference.models.ensemble import ensemble_of
from inference.models.plain_networks import convolutional_field, dense_field


@pytest.mark.parametrize("member", [dense_field, convolutional_field])
def test_plain_network_reads_profile_and_age(member: Callable[[Any, Any, str], Any]) -> None:
    network = ensemble_of([member], "plain")
    profiles = np.random.default_rng(5).uniform(40, 160, (2, 768, 1))
    ages = np.array([[30.0], [80.0]])

    field, _ = (np.asarray(output) for output in network([profiles, ages]))
    of_age, _ = (np.asarray(output) for output in network([profiles[[0, 0]], ages]))

    assert field.shape == (2, 52)
    assert np.all(field >= 0)
    assert np.ptp(of_age, axis=0).max() > 0
