"""Simulated rings paired with the field that belongs to them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.simulation.bank import Part
from inference.simulation.eyes import SimulatedEyes, simulate_eyes
from inference.simulation.fields import PatternSource
from inference.simulation.fundus_rings import simulate_rings

#: Eyes drawn from one state of the random numbers.
BLOCK: Final = 2000


@dataclass(frozen=True)
class FundusPairs:
    """Photographs, as a model reads them, and the eyes they show.

    Attributes
    ----------
    rings
        float32, shape (n, 128, 24, 4).
    eyes
        Profile, age and field of each, in the same order.
    """

    rings: NDArray[np.float32]
    eyes: SimulatedEyes

    @classmethod
    def joined(cls, blocks: Sequence["FundusPairs"]) -> "FundusPairs":
        """Return the pairs of all blocks, one after the other."""
        eyes = {
            field.name: np.concatenate([getattr(block.eyes, field.name) for block in blocks])
            for field in fields(SimulatedEyes)
        }
        return cls(np.concatenate([block.rings for block in blocks]), SimulatedEyes(**eyes))

    def __len__(self) -> int:
        return len(self.eyes)


def simulate_fundus_pairs(
    seed: int, part: Part, count: int, patterns: PatternSource
) -> FundusPairs:
    """Return that many simulated eyes of a part's patients, with the ring of one photograph each.

    They are drawn in blocks that know nothing of each other, so that blocks may be drawn apart.
    """
    starts = range(0, count, BLOCK)
    return FundusPairs.joined(
        [
            simulate_block(seed, part, start // BLOCK, min(BLOCK, count - start), patterns)
            for start in starts
        ]
    )


def simulate_block(
    seed: int, part: Part, block: int, count: int, patterns: PatternSource
) -> FundusPairs:
    """Return one block of `simulate_fundus_pairs`."""
    rng = np.random.default_rng([seed, list(Part).index(part), block])
    eyes = simulate_eyes(rng, count, patterns)
    return FundusPairs(simulate_rings(rng, eyes.thickness_um, eyes.age_years), eyes)
