"""The fixed inputs of the golden test of the shipped model, and the recipe for its answers.

`python -m tests.golden.retinervenet` writes the answers of the shipped model anew. Do so only when
its weights were changed on purpose, and review the difference.
"""

import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.rnfl import normal_profile_um
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.model_store import ModelStore
from inference.predictor import Predictor

ANSWERS: Final = Path(__file__).with_name("retinervenet.json")

#: Eye by eye: age in years, and where the arc is thinned to 45 µm, in degree TSNIT.
EYES: Final[dict[str, tuple[float, tuple[float, float] | None]]] = {
    "healthy": (60.0, None),
    "superior_temporal_arc": (60.0, (45.0, 85.0)),
    "inferior_temporal_arc": (60.0, (275.0, 315.0)),
    "advanced": (75.0, (0.0, 360.0)),
}
_THINNED_UM: Final = 45.0


def thickness_um(age_years: float, arc_degree: tuple[float, float] | None) -> NDArray[np.float32]:
    """Return a normal profile with one arc thinned, shape (768,)."""
    profile = normal_profile_um(age_years)
    if arc_degree is not None:
        first, last = arc_degree
        inside = (first <= PROFILE_ANGLES_DEGREE) & (last >= PROFILE_ANGLES_DEGREE)
        profile = np.where(inside, np.minimum(profile, _THINNED_UM), profile)
    return profile.astype(np.float32)


def inputs() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return profiles, shape (4, 768), and ages, shape (4,), in the order of `EYES`."""
    profiles = [thickness_um(age, arc) for age, arc in EYES.values()]
    return np.stack(profiles), np.array([age for age, _ in EYES.values()], dtype=np.float32)


def write_answers() -> None:
    """Write what the shipped model says of these eyes, to a thousandth of a dB."""
    card = ModelStore().load_card("retinervenet", "2.1.0")
    estimates = Predictor.load(card, "cpu").predict(*inputs())
    answers = {
        "digest": card.digest,
        "sensitivities_db": {
            eye: [round(float(value), 3) for value in estimate.sensitivities_db]
            for eye, estimate in zip(EYES, estimates, strict=True)
        },
    }
    ANSWERS.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_answers()
