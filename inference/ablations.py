"""What each part of the reference model brings: the same eyes, the same time, one part changed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import keras
import numpy as np

from inference.evaluation import (
    EvaluationSettings,
    TestEyes,
    draw_test_eyes,
    figures_of_baselines,
)
from inference.figures import figures_of
from inference.fitting import FitSettings
from inference.model_card import Figures
from inference.models.plain_networks import convolutional_field, dense_field
from inference.models.retinervenet import Design, field_of
from inference.recipe import RETINERVENET, Recipe, inputs_of
from inference.training_eyes import EyeSets, draw_eye_sets

MEASURED_ON: Final = "simulated eyes of test patients; networks fitted briefly, all alike"


@dataclass(frozen=True)
class AblationSettings:
    """How much each variant is fitted to: less than the shipped model, and the same for all."""

    bank: Path | None
    eyes: int = 60000
    held_back_eyes: int = 4000
    test_eyes: int = 8000
    epochs: int = 6
    batch_size: int = 512
    learning_rate: float = 4e-3
    seed: int = 20263


def _single(design: Design) -> Recipe:
    return Recipe((partial(field_of, design=design),), (0.0,))


#: By what is said of it.
VARIANTS: Final[dict[str, Recipe]] = {
    "RetiNerveNet, one network": _single(Design()),
    "… without recursion: one pass": _single(Design(passes=1)),
    "… each half-field from the whole disc": _single(Design(two_halves=False)),
    "… without the age": _single(Design(age=False)),
    "… without the whole-disc branch": _single(Design(whole_disc=False)),
    "… severe eyes count double": Recipe((field_of,), (1.0,)),
    "… three networks (shipped recipe)": RETINERVENET,
    "plain dense network": Recipe((dense_field,), (0.0,)),
    "plain convolutional network": Recipe((convolutional_field,), (0.0,)),
}


def ablate(
    settings: AblationSettings, progress: Callable[[Figures], None] | None = None
) -> tuple[Figures, ...]:
    """Fit every variant and return its figures, after those of the ceiling and the baselines.

    Raises
    ------
    TrainingDataInvalid
        If the bank cannot be read.
    """
    test = draw_test_eyes(
        EvaluationSettings(settings.bank, settings.test_eyes, baseline_eyes=settings.eyes)
    )
    sets = draw_eye_sets(settings.seed, settings.bank, settings.eyes, settings.held_back_eyes)
    found = list(figures_of_baselines(test, MEASURED_ON))
    for name, recipe in VARIANTS.items():
        found.append(_measured(name, recipe, sets, test, settings))
        if progress is not None:
            progress(found[-1])
    return tuple(found)


def _measured(
    name: str, recipe: Recipe, sets: EyeSets, test: TestEyes, settings: AblationSettings
) -> Figures:
    keras.utils.set_random_seed(settings.seed)
    network = recipe.build("variant")
    fitting = FitSettings(
        settings.epochs, settings.batch_size, settings.learning_rate, patience=settings.epochs
    )
    recipe.fit(network, sets.training, sets.validation, fitting)
    fields_db, _ = network.predict(inputs_of(test.eyes), batch_size=512, verbose=0)
    return figures_of(name, np.clip(fields_db, 0, 40), test.eyes, MEASURED_ON)
