import numpy as np
import pytest

from inference import ablations
from inference.ablations import VARIANTS, AblationSettings, ablate
from inference.model_card import Figures


@pytest.mark.slow
def test_variants_are_measured_beside_baselines_on_the_same_eyes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = {name: VARIANTS[name] for name in list(VARIANTS)[-2:]}
    monkeypatch.setattr(ablations, "VARIANTS", few)
    told: list[Figures] = []
    settings = AblationSettings(
        None, eyes=2000, held_back_eyes=300, test_eyes=600, epochs=3, batch_size=64
    )

    found = ablate(settings, told.append)

    assert [row.predictor for row in found[4:]] == list(few)
    assert told == list(found[4:])
    assert len({row.measured_on for row in found}) == 1
    ceiling, location_mean = found[0], found[1]
    for row in told:
        assert ceiling.mae_db < row.mae_db < location_mean.mae_db


def test_every_variant_can_be_built_and_differs() -> None:
    sizes = {name: recipe.build("variant").count_params() for name, recipe in VARIANTS.items()}

    assert len(set(sizes.values())) >= len(sizes) - 2
    assert all(len(recipe.members) == len(recipe.severity_weights) for recipe in VARIANTS.values())
    assert np.argmax(list(sizes.values())) == list(sizes).index("… three networks (shipped recipe)")
