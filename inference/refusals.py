"""How many profiles a model's gate refuses: of eyes that should pass, and of mistakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from inference.errors import ModelNotFound
from inference.gating import gate_of
from inference.model_card import ModelCard
from inference.preparation.prepare import prepare
from inference.sector_profile import profiles_from_sectors, sectors_of
from inference.simulated_scan import scan_of
from inference.simulation.b_scans import simulate_b_scan
from inference.simulation.bank import Part
from inference.simulation.wedges import WedgePatterns
from inference.simulation.wrong_profiles import mirrored
from inference.training_eyes import draw_eyes, from_sectors, pattern_source

Profiles = NDArray[np.float32]

#: Places of a profile: a quarter turn, and the value of a pixel that was taken for µm.
_QUARTER: Final = 192
_PIXEL_UM: Final = 3.87


@dataclass(frozen=True)
class RefusalShare:
    """What a gate did with profiles of one kind.

    Attributes
    ----------
    profiles
        What they are.
    should_pass
        Whether they are of eyes the model is made for.
    refused_share
        Share refused, 0 to 1.
    """

    profiles: str
    count: int
    should_pass: bool
    refused_share: float


@dataclass(frozen=True)
class RefusalSettings:
    """How many profiles are judged.

    Attributes
    ----------
    bank
        The bank of real field patterns, test patients; None judges wedge eyes alone.
    eyes
        Simulated eyes of each kind.
    scans
        Simulated B-scans that are segmented; it takes a tenth of a second each.
    """

    bank: Path | None
    eyes: int = 6000
    scans: int = 200
    seed: int = 20264


def measure_refusals(card: ModelCard, settings: RefusalSettings) -> tuple[RefusalShare, ...]:
    """Return what the gate of a model for profiles refuses.

    Raises
    ------
    ModelNotFound
        If the model has no gate.
    TrainingDataInvalid
        If the bank cannot be read.
    """
    gate = gate_of(card)
    if gate is None:
        raise ModelNotFound(f"{card.name} {card.version} has no gate whose refusals to count.")
    rng = np.random.default_rng(settings.seed)
    good = _of_eyes(rng, settings)
    kinds = [(True, good), (False, _mistakes(rng, next(iter(good.values()))))]
    return tuple(
        RefusalShare(
            name,
            len(profiles_um),
            should_pass,
            float(np.mean([reason is not None for reason in gate.judge(profiles_um)])),
        )
        for should_pass, named in kinds
        for name, profiles_um in named.items()
    )


def _of_eyes(rng: np.random.Generator, settings: RefusalSettings) -> Mapping[str, Profiles]:
    patterns = pattern_source(settings.bank, Part.TEST)
    eyes = draw_eyes(rng, settings.eyes, patterns)
    return {
        "simulated eyes of test patients": eyes.thickness_um,
        "the same, rebuilt from six sectors": from_sectors(eyes).thickness_um,
        "eyes of varied build": draw_eyes(rng, settings.eyes, patterns, 1.0).thickness_um,
        "eyes with wedge-shaped loss": draw_eyes(rng, settings.eyes, WedgePatterns()).thickness_um,
        "segmented in simulated B-scans": _segmented(rng, eyes.thickness_um[: settings.scans]),
    }


def _mistakes(rng: np.random.Generator, good_um: Profiles) -> Mapping[str, Profiles]:
    sectors_um = sectors_of(good_um)
    ages = np.full(len(good_um), 60.0)
    return {
        "constant": np.full_like(good_um, good_um.mean(axis=1, keepdims=True)),
        "noise": rng.uniform(15, 200, good_um.shape).astype(np.float32),
        "samples shuffled": rng.permuted(good_um, axis=1),
        "in mm": good_um / 1000,
        "in pixels": good_um / np.float32(_PIXEL_UM),
        "swollen to 280 µm": good_um * (280 / good_um.max(axis=1, keepdims=True)),
        "turned by 90°": np.roll(good_um, _QUARTER, axis=1),
        "turned by −90°": np.roll(good_um, -_QUARTER, axis=1),
        "sectors in reverse order": profiles_from_sectors(sectors_um[:, ::-1], ages),
        "mirrored (temporal for nasal)": mirrored(good_um),
        "upside down": good_um[:, ::-1],
    }


def _segmented(rng: np.random.Generator, thickness_um: Profiles) -> Profiles:
    """Return the profiles measured in B-scans of these eyes."""
    return np.stack([_measured_um(rng, one) for one in thickness_um])


def _measured_um(rng: np.random.Generator, thickness_um: Profiles) -> Profiles:
    shown = simulate_b_scan(thickness_um, Laterality.RIGHT, rng)
    return prepare(scan_of(shown)).thickness_um
