"""What the HTTP side refuses. Messages name parameters and causes, never a patient."""

from collections.abc import Sequence

from core.errors import NodeError, RecordNotFound


class NotSignedIn(NodeError):
    """An API key is needed: send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`."""


class LoginRefused(NodeError):
    """That key or link is not valid: it is unknown, revoked, used or too old."""


class HostRefused(NodeError):
    """Without authentication only requests to localhost are answered; set `auth = keys`."""


class CursorInvalid(NodeError):
    """The parameter `cursor` is not one this list gave; leave it out to start again."""


class AmbiguousPatient(NodeError):
    """Several issuers use this Patient ID; name one with the parameter `issuer`.

    `issuers` holds their names, an empty text for a patient without one.
    """

    def __init__(self, issuers: Sequence[str]) -> None:
        super().__init__("Several issuers use this Patient ID; name one with `issuer`")
        self.issuers = list(issuers)


class ParameterInvalid(NodeError):
    """A parameter cannot be understood. `parameter` is its name."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"`{parameter}`: {message}")
        self.parameter = parameter


class FrameNotFound(RecordNotFound):
    """The object has no frame of that number; the parameter `frames` counts from 1."""


class NotReady(NodeError):
    """A part this node needs does not answer.

    `checks` says of each part whether it is ready.
    """

    def __init__(self, checks: dict[str, str]) -> None:
        super().__init__("A part this node needs does not answer; `arcuate doctor` says what to do")
        self.checks = checks


class NotAcceptable(NodeError):
    """The answer comes as application/dicom+json only; name that in `Accept`."""


class RangeNotSatisfiable(NodeError):
    """The range lies beyond the end."""


class MediaTypeUnsupported(NodeError):
    """Send multipart/related; type="application/dicom", or one application/dicom, not encoded."""


class BodyMalformed(NodeError):
    """The body cannot be taken apart as its Content-Type says."""


class BodyTooLarge(NodeError):
    """The body is larger than any request may be; send it in several."""


class BodyStalled(NodeError):
    """The body stopped coming; send it again."""
