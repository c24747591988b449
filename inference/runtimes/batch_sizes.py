"""The sizes of batch a network is run at: few, and smaller ones where the device is small."""

from core.logs import get_logger
from inference.errors import OutOfMemory

_log = get_logger(__name__)


class BatchSizes:
    """Fixed sizes, of which the largest is halved where the device has no memory for it.

    Parameters
    ----------
    sizes
        In rising order; the first is 1.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self._sizes = sizes

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes in use, in rising order."""
        return self._sizes

    @property
    def largest(self) -> int:
        """How many eyes are run at a time at most."""
        return self._sizes[-1]

    def fitting(self, count: int) -> int:
        """Return the smallest size that holds so many eyes, at most `largest`."""
        return next(size for size in self._sizes if size >= count)

    def halve(self, cause: OutOfMemory) -> None:
        """Run at most half as many eyes at a time, until the process ends.

        Raises
        ------
        OutOfMemory
            If that was a single eye already.
        """
        if self.largest == 1:
            raise OutOfMemory(
                f"{cause} Free memory on it, take another by ARCUATE_DEVICE, or a smaller model."
            ) from cause
        half = self.largest // 2
        self._sizes = (*(size for size in self._sizes if size < half), half)
        _log.warning("batch_halved", largest=half, cause=str(cause))
