"""What a client accepts, media type by media type, the most wanted first (RFC 9110 12.5.1)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.dicomweb.media_types import MULTIPART_RELATED, parse_media_type

ANY: Final = "*/*"
#: The transfer syntax a client takes whatever it is (PS3.18 8.7.3.5.2).
AS_STORED: Final = "*"
#: A header of more media types is no header of a client that means it.
_MOST: Final = 64
_OUTSIDE_QUOTES: Final = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')


@dataclass(frozen=True)
class Accepted:
    """One media type of an Accept header.

    Attributes
    ----------
    name
        Of what comes: of each part, where it is to come in parts; `*/*` where the client does not
        say.
    is_multipart
        None where the client does not say.
    transfer_syntax
        Empty where the client does not say.
    """

    name: str
    is_multipart: bool | None
    transfer_syntax: str = ""

    def fits(self, offer: str) -> bool:
        """Whether something of that media type is accepted."""
        family = offer.partition("/")[0]
        return self.name in {offer, f"{family}/*", ANY}


def read_accept(accept: str | None, query: str | None = None) -> Sequence[Accepted]:
    """Return what is accepted, in order.

    Parameters
    ----------
    query
        The parameter `accept` of the address, which counts before the header (PS3.18 8.3.3.1).
    """
    text = query or accept or ANY
    ranges = [
        (quality, accepted)
        for part in _OUTSIDE_QUOTES.split(text)[:_MOST]
        for quality, accepted in _read(part)
        if quality > 0
    ]
    ranges.sort(key=lambda pair: pair[0], reverse=True)
    return [accepted for _, accepted in ranges]


def _read(part: str) -> list[tuple[float, Accepted]]:
    media_type = parse_media_type(part.strip())
    parameters = media_type.parameters
    if not media_type.name:
        return []
    syntax = parameters.get("transfer-syntax", "")
    if media_type.name == MULTIPART_RELATED:
        name = parse_media_type(parameters.get("type", ANY)).name
        return [(_quality(parameters), Accepted(name, is_multipart=True, transfer_syntax=syntax))]
    is_multipart = None if media_type.name in {ANY, "multipart/*"} else False
    name = ANY if is_multipart is None else media_type.name
    return [(_quality(parameters), Accepted(name, is_multipart, syntax))]


def _quality(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
