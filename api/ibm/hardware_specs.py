"""The hardware a job may ask for by name: the usual sizes mean any processor, others a GPU."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from api.ibm.identifiers import hardware_id
from core.errors import RecordNotFound


@dataclass(frozen=True)
class HardwareSpec:
    """A named size.

    Sizes of processors differ in name alone: jobs are taken by whatever process scores next.

    Attributes
    ----------
    units
        Processors.
    memory
        As `8Gi`.
    gpus
        Above 0, only a process that scores on a GPU takes the job.
    """

    name: str
    units: str
    memory: str
    gpus: int = 0

    @property
    def id(self) -> str:
        """Its id."""
        return hardware_id(self.name)


SPECS: Final = (
    HardwareSpec("XXS", "1", "2Gi"),
    HardwareSpec("XS", "1", "4Gi"),
    HardwareSpec("S", "2", "8Gi"),
    HardwareSpec("M", "4", "16Gi"),
    HardwareSpec("L", "8", "32Gi"),
    HardwareSpec("GPU", "2", "16Gi", gpus=1),
)


def spec_named(name: str) -> HardwareSpec:
    """Return the hardware of that name.

    Raises
    ------
    RecordNotFound
        If there is none.
    """
    return _found(spec for spec in SPECS if spec.name == name)


def spec_with_id(spec_id: str) -> HardwareSpec:
    """Return the hardware of that id.

    Raises
    ------
    RecordNotFound
        If there is none.
    """
    return _found(spec for spec in SPECS if spec.id == spec_id)


def _found(specs: Iterator[HardwareSpec]) -> HardwareSpec:
    spec = next(specs, None)
    if spec is None:
        names = ", ".join(spec.name for spec in SPECS)
        raise RecordNotFound(f"There is no such hardware specification; there are {names}")
    return spec
