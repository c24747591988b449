"""How long and how much is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.settings import Settings

_GIB: Final = 1 << 30


@dataclass(frozen=True)
class RetentionPolicy:
    """What the settings say; None means for ever, or without a bound.

    Attributes
    ----------
    age
        How long the files of a study are kept after the last one came.
    maximum_bytes
        Size of the archive above which the oldest studies go.
    quarantine_age
        How long an object stays in quarantine.
    """

    age: timedelta | None = None
    maximum_bytes: int | None = None
    quarantine_age: timedelta | None = None

    @property
    def removes_anything(self) -> bool:
        """Whether it bounds anything at all."""
        return any((self.age, self.maximum_bytes, self.quarantine_age))

    def last_moment(self, now: datetime) -> datetime | None:
        """Return since when a study must have had nothing new to be too old; None for never."""
        return None if self.age is None else now - self.age


def policy_of(settings: Settings) -> RetentionPolicy:
    """Return what these settings say."""
    return RetentionPolicy(
        age=timedelta(days=settings.retention_days) or None,
        maximum_bytes=settings.retention_gib * _GIB or None,
        quarantine_age=timedelta(days=settings.quarantine_days) or None,
    )
