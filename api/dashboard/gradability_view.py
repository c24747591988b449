"""Which share of each device's scans could be assessed, month by month, as a page shows it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.monthly_figures import MonthFigures
from core.values.scan import Device

#: Upper ends of the shares that look alike, from the worst.
_SHADES: Final = (0.5, 0.7, 0.85, 0.95)


@dataclass(frozen=True)
class Gradability:
    """How many scans of a device, or of one month of it, were looked at and could be assessed.

    What broke for a reason of ours is not among them.
    """

    assessable: int = 0
    judged: int = 0

    @property
    def share(self) -> float | None:
        """Share that was assessable; None without a scan."""
        return self.assessable / self.judged if self.judged else None

    @property
    def shade(self) -> int | None:
        """How good it is, from 0 to 4; None without a scan."""
        share = self.share
        return None if share is None else sum(share > limit for limit in _SHADES)

    def __add__(self, other: "Gradability") -> "Gradability":
        """Return both together."""
        return Gradability(self.assessable + other.assessable, self.judged + other.judged)


@dataclass(frozen=True)
class DeviceGradability:
    """One device, month by month."""

    device: Device
    months: tuple[Gradability, ...]

    @property
    def total(self) -> Gradability:
        """All months together."""
        return sum(self.months, Gradability())

    @property
    def cells(self) -> tuple[Gradability, ...]:
        """All months together, then each."""
        return (self.total, *self.months)


def gradability_view(
    figures: Sequence[MonthFigures], months: Sequence[str]
) -> list[DeviceGradability]:
    """Return every device that scanned in these months, the one with most scans first."""
    found: dict[Device, dict[str, Gradability]] = defaultdict(dict)
    for one in figures:
        of_device = found[one.device]
        part = Gradability(one.final, one.final + one.not_assessable)
        of_device[one.month] = of_device.get(one.month, Gradability()) + part
    devices = [
        DeviceGradability(device, tuple(by_month.get(month, Gradability()) for month in months))
        for device, by_month in found.items()
    ]
    return sorted(devices, key=lambda one: -one.total.judged)
