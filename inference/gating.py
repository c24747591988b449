"""Which examinations a model's gate lets through to it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.values.reason import Reason
from inference.examination import Examination
from inference.model_card import ModelCard
from inference.profile_gate import ProfileGate


def gate_of(card: ModelCard) -> ProfileGate | None:
    """Return the gate of a model, None where it has none; its digest is the card's to check.

    Raises
    ------
    ModelDamaged
        If the file is missing or is no gate.
    """
    return None if card.gate_path is None else ProfileGate.load(card.gate_path)


def gated(gate: ProfileGate | None, examinations: Sequence[Examination]) -> list[Examination]:
    """Return the examinations, in order, those the gate refuses with its reason.

    Parameters
    ----------
    gate
        Of the model that is to score them; None lets everything in.
    """
    inputs = [found.input for found in examinations]
    profiles_um = [found[0] for found in inputs if found is not None]
    if gate is None or not profiles_um:
        return list(examinations)
    reasons = iter(gate.judge(np.stack(profiles_um)))
    return [
        found if taken is None else _with_reason(found, next(reasons))
        for found, taken in zip(examinations, inputs, strict=True)
    ]


def _with_reason(examination: Examination, reason: Reason | None) -> Examination:
    return examination if reason is None else replace(examination, reasons=(reason,))
