"""What a request's body is made of, as it comes: parts begin, bring content and end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class PartBegan:
    """A part begins. `headers` has the names of its header fields in lower case."""

    headers: Mapping[str, str]


@dataclass(frozen=True)
class PartContent:
    """The next bytes of the part that began last."""

    content: bytes


@dataclass(frozen=True)
class PartEnded:
    """The part that began last is whole."""


PartEvent = PartBegan | PartContent | PartEnded


class PartReader(Protocol):
    """Takes a body apart while it comes."""

    def feed(self, content: bytes) -> Iterable[PartEvent]:
        """Return what the next bytes of the body bring.

        Raises
        ------
        BodyMalformed
            If this is not what was announced.
        """
        ...

    def close(self) -> Iterable[PartEvent]:
        """Return what the end of the body brings.

        Raises
        ------
        BodyMalformed
            If the body must not end here.
        """
        ...


class SinglePart:
    """A body that is one part, without headers of its own."""

    def __init__(self) -> None:
        self._has_begun = False

    def feed(self, content: bytes) -> Iterable[PartEvent]:
        """Return the next bytes; the part begins with the first ones."""
        if not self._has_begun:
            self._has_begun = True
            yield PartBegan({})
        yield PartContent(content)

    def close(self) -> Iterable[PartEvent]:
        """End the part; a body without a byte has none."""
        if self._has_begun:
            yield PartEnded()
