"""The networks that can be trained: a new one is a file in this folder and a line in this tuple."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from inference.models.fundus_field import build_fundus_field
from inference.models.retinervenet import build_retinervenet


@dataclass(frozen=True)
class Architecture:
    """A network by name; `build` returns it untrained, from a structure and `age` to 52 dB."""

    name: str
    build: Callable[[], Any]


ARCHITECTURES: Final = (
    Architecture("retinervenet", build_retinervenet),
    Architecture("fundus_field", build_fundus_field),
)


def architecture(name: str) -> Architecture:
    """Return the network of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    for known in ARCHITECTURES:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in ARCHITECTURES)
    raise ValueError(f"There is no network {name!r} to train; there are {names}.")
