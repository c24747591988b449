"""Media types as header fields name them (RFC 9110 8.3 and 12.5.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Final

from api.errors import NotAcceptable

DICOM: Final = "application/dicom"
DICOM_JSON: Final = "application/dicom+json"
MULTIPART_RELATED: Final = "multipart/related"

#: How a response of attributes may be named, the better first.
_JSON_OFFERS: Final = (DICOM_JSON, "application/json")


@dataclass(frozen=True)
class MediaType:
    """A media type in lower case, and its parameters, unquoted, by names in lower case."""

    name: str
    parameters: Mapping[str, str]


def parse_media_type(text: str) -> MediaType:
    """Return what a header field says; what is no media type has an empty name."""
    message = Message()
    message["Content-Type"] = text
    name, *parameters = message.get_params() or [("", "")]
    # An extended parameter (RFC 2231) is a tuple; none that matters here has that form.
    plain = {key.lower(): value for key, value in parameters if isinstance(value, str)}
    return MediaType(name[0].lower(), plain)


def choose_json(accept: str | None) -> str:
    """Return the name under which a client takes a response in DICOM JSON.

    Raises
    ------
    NotAcceptable
        If it takes none.
    """
    qualities = _qualities(accept or "*/*")
    best = max(_JSON_OFFERS, key=lambda offer: _quality(qualities, offer))
    if _quality(qualities, best) <= 0:
        raise NotAcceptable
    return best


def _qualities(accept: str) -> dict[str, float]:
    ranges = [parse_media_type(text) for text in accept.split(",")]
    return {accepted.name: _number(accepted.parameters.get("q", "1")) for accepted in ranges}


def _quality(qualities: Mapping[str, float], offer: str) -> float:
    family = offer.partition("/")[0]
    ranges = (offer, f"{family}/*", "*/*")
    return next((qualities[name] for name in ranges if name in qualities), 0.0)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
