"""Refuses profiles that are unlike any eye a model was made for, before they are scored.

A network answers whatever it is given. The gate looks at the thickness alone, without age or
picture, and says in which way a profile is no nerve fibre layer round a disc.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.values.profile import PROFILE_SAMPLES
from core.values.reason import Reason, ReasonCode
from inference.errors import ModelDamaged

#: Mean thickness in this many places is what the gate sees of a profile's form.
PLACES: Final = 96
_SAMPLES_PER_PLACE: Final = PROFILE_SAMPLES // PLACES

#: No product of two standardised coordinates counts for more than this: one wild place must not
#: outweigh all others.
_LARGEST_PRODUCT: Final = 30.0

#: What is said of a profile, for each statistic in the order of `ProfileGate.statistics`.
_CAUSES: Final = (
    "in size or form it is far from every eye the model was made for: is it the thickness of the "
    "nerve fibre layer in µm, on the circle around the disc, from temporal over superior?",
    "it is jagged as no nerve fibre layer is: its border was not found, or its samples are not in "
    "order around the disc.",
    "it is as flat as no nerve fibre layer around a disc: is the circle centred on the disc?",
    "its thickest place is thicker than in any eye the model was made for, as in a swollen disc, "
    "for which it is not meant.",
    "it is more like a mistake than like an eye: check which eye it is, where the circle starts, "
    "which way it runs, the order of sectors, and that the thickness is in µm. A "
    "nerve with hardly a fibre left can look so too.",
)
STATISTICS: Final = len(_CAUSES)
JAGGED: Final = 1
FLAT: Final = 2
THICKEST: Final = 3
_MISSING: Final = "samples of it are missing or not above 0, and none may be filled in."


@dataclass(frozen=True)
class ProfileGate:
    """What is known of the profiles a model was made for.

    Attributes
    ----------
    centre
        float64, shape (96,): mean root of the thickness in µm at each place.
    directions, scales
        float64, shapes (96, k) and (k,): the ways in which eyes differ most, and their SD.
    odds
        float64, shape (1 + k + k·(k + 1)/2,): weights of the log odds that a profile was turned,
        mirrored, flattened, scaled or put together in a wrong order.
    limits
        float64, shape (5,): the largest of each statistic that is let in.
    """

    centre: NDArray[np.float64]
    directions: NDArray[np.float64]
    scales: NDArray[np.float64]
    odds: NDArray[np.float64]
    limits: NDArray[np.float64]

    def __post_init__(self) -> None:
        count = len(self.scales)
        shapes = ((PLACES,), (PLACES, count), (count,), (odds_length(count),), (STATISTICS,))
        for field, shape in zip(fields(self), shapes, strict=True):
            array = getattr(self, field.name)
            if array.shape != shape or not np.all(np.isfinite(array)):
                raise ValueError(f"{field.name} has shape {array.shape}, not finite {shape}")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the gate kept in a file; nothing in the file is run.

        Raises
        ------
        ModelDamaged
            If the file is missing or is no gate.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                found = {field.name: arrays[field.name] for field in fields(cls)}
            return cls(**{name: np.asarray(array, np.float64) for name, array in found.items()})
        except (OSError, KeyError, ValueError, EOFError) as error:
            raise ModelDamaged(
                f"{path.name} is no gate for profiles ({error}). Install the model again."
            ) from error

    def save(self, path: Path) -> None:
        """Keep the gate in a file of plain arrays (`.npz`)."""
        with path.open("wb") as file:
            np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    def judge(self, thickness_um: NDArray[np.floating]) -> list[Reason | None]:
        """Return why each profile must not be scored; None where it may.

        Parameters
        ----------
        thickness_um
            Shape (n, 768), µm, TSNIT.
        """
        thickness = np.asarray(thickness_um, dtype=np.float64)
        readable = np.all(np.isfinite(thickness) & (thickness >= 0), axis=1)
        # Whatever stands in for an unreadable profile is never judged.
        beyond = self.statistics(np.where(readable[:, np.newaxis], thickness, 1.0)) > self.limits
        return [
            _reason(_MISSING) if not is_readable else _first_reason(found)
            for is_readable, found in zip(readable, beyond, strict=True)
        ]

    def statistics(self, thickness_um: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return five numbers of each profile, shape (n, 5); the larger, the stranger.

        Squared distance from the mean eye along `directions`, in SD; how far neighbouring samples
        are apart (root mean square, of the root of µm); the negative spread of the places as a
        share of their mean; the thickest place in µm; and the log odds of a wrong form.
        """
        places_um = places(thickness_um)
        coordinates = self.coordinates(places_um)
        mean_um = np.maximum(places_um.mean(axis=1), np.finfo(np.float64).tiny)
        return np.column_stack(
            [
                np.sum(coordinates**2, axis=1),
                _jaggedness(thickness_um),
                -places_um.std(axis=1) / mean_um,
                places_um.max(axis=1),
                products(coordinates) @ self.odds,
            ]
        )

    def coordinates(self, places_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where each profile stands along `directions`, in SD, shape (n, k)."""
        return (np.sqrt(places_um) - self.centre) @ self.directions / self.scales


def places(thickness_um: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean thickness of each place, shape (n, 96), for profiles (n, 768)."""
    grouped = np.asarray(thickness_um, dtype=np.float64).reshape(-1, PLACES, _SAMPLES_PER_PLACE)
    return np.asarray(grouped.mean(axis=2), dtype=np.float64)


def products(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1, the coordinates and their products by twos, shape (n, `odds_length(k)`)."""
    first, second = np.triu_indices(coordinates.shape[1])
    twos = np.clip(
        coordinates[:, first] * coordinates[:, second], -_LARGEST_PRODUCT, _LARGEST_PRODUCT
    )
    return np.hstack([np.ones((len(coordinates), 1)), coordinates, twos])


def odds_length(directions: int) -> int:
    """Return how many weights the log odds of that many directions have."""
    return 1 + directions + directions * (directions + 1) // 2


def _jaggedness(thickness_um: NDArray[np.floating]) -> NDArray[np.float64]:
    roots = np.sqrt(thickness_um)
    steps = roots - np.roll(roots, 1, axis=1)
    return np.asarray(np.sqrt(np.mean(steps**2, axis=1)), dtype=np.float64)


def _first_reason(beyond: NDArray[np.bool_]) -> Reason | None:
    found = np.flatnonzero(beyond)
    return _reason(_CAUSES[found[0]]) if len(found) else None


def _reason(cause: str) -> Reason:
    message = f"The thickness profile is unlike those the model was made for: {cause}"
    return Reason(ReasonCode.OUTSIDE_INTENDED_USE, message)
