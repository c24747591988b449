"""Whether a network may compute in half precision: where that was measured to change little."""

from dataclasses import replace
from typing import Final

import numpy as np

from inference.errors import ModelDamaged
from inference.model_card import ModelCard
from inference.precisions import Precision, PrecisionCheck
from inference.probe import PROBE_EYES, largest_difference_db, probe_eyes
from inference.runtimes.network import Network

#: A tenth of the step perimeters print, in dB.
PRECISION_LIMIT_DB: Final = 0.1


def load_network(card: ModelCard, device: str) -> Network:
    """Return the network of a card, on a GPU in the precision the card states.

    Parameters and errors are those of `Network.load`.

    Raises
    ------
    ModelDamaged
        If on this GPU that precision changes the fields by more than is allowed.
    """
    network = Network.load(card, device)
    if card.precision is Precision.FLOAT32 or network.device_used.device == "CPU":
        return network
    return in_stated_precision(card, network, device)


def in_stated_precision(card: ModelCard, whole: Network, device: str) -> Network:
    """Return the network in the precision its card states, compared here with the whole one.

    Raises
    ------
    ModelDamaged
        If they lie further apart than is allowed.
    """
    reduced = Network.load(card, device, card.precision)
    _check(card, _apart_db(card, whole, reduced), f"on {reduced.device_used}")
    return reduced


def check_precision(card: ModelCard, precision: Precision, device: str) -> ModelCard:
    """Return the card with that precision and what it changes, measured on that device.

    Raises
    ------
    ModelDamaged
        If it changes the fields by more than is allowed.
    DeviceUnavailable, RuntimeUnavailable
        As `Network.load`.
    """
    whole = Network.load(card, device)
    reduced = Network.load(card, device, precision)
    apart_db, used = _apart_db(card, whole, reduced), reduced.device_used
    stated = replace(
        card,
        precision=precision,
        precision_check=PrecisionCheck(apart_db, PROBE_EYES, used.device, used.software),
    )
    _check(stated, apart_db, f"on {used}")
    return stated


def _apart_db(card: ModelCard, whole: Network, reduced: Network) -> float:
    eyes = probe_eyes(card)
    answers = [network.answer(*eyes) for network in (whole, reduced)]
    # A number beyond half precision is infinite, or none.
    if not np.isfinite(answers[1].sensitivities_db).all():
        return float("inf")
    return largest_difference_db(*answers)


def _check(card: ModelCard, apart_db: float, where: str) -> None:
    if apart_db > PRECISION_LIMIT_DB:
        raise ModelDamaged(
            f"{card.name} {card.version} in {card.precision} gives fields up to {apart_db:.3g} dB "
            f"from its own {where}; {PRECISION_LIMIT_DB} dB is allowed. Leave its precision at "
            "float32."
        )
