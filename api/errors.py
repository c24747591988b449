"""What the HTTP side refuses. Messages name parameters and causes, never a patient."""

from collections.abc import Sequence

from core.errors import NodeError, RecordNotFound


class NotSignedIn(NodeError):
    """An API key is needed: send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`."""


class LoginRefused(NodeError):
    """That key or link is not valid: it is unknown, revoked, used or too old."""


class HostRefused(NodeError):
    """Without authentication only requests to localhost are answered; set `auth = keys`."""


class OriginRefused(NodeError):
    """Forms of other sites are not taken."""


class RoleMissing(NodeError):
    """The caller's key has not the role that this needs.

    `roles` are those that may.
    """

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(
            f"This needs a key of role {' or '.join(roles)}: `arcuate keys create NAME --role "
            f"{roles[0]}` makes one, and auth must be keys"
        )
        self.roles = list(roles)


class CursorInvalid(NodeError):
    """The parameter `cursor` is not one this list gave; leave it out to start again."""


class ParameterInvalid(NodeError):
    """A parameter of the address has a value or a name it cannot have.

    `parameter` names it, as the client did; `message` says what is wrong, without its value.
    """

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"The parameter {parameter} {message}")
        self.parameter, self.message = parameter, message


class FrameNotFound(RecordNotFound):
    """The object has no frame of that number; the parameter `frames` counts from 1."""


class NotReady(NodeError):
    """A part this node needs does not answer.

    `checks` says of each part whether it is ready.
    """

    def __init__(self, checks: dict[str, str]) -> None:
        super().__init__("A part this node needs does not answer; `arcuate doctor` says what to do")
        self.checks = checks


class PositionUnknown(NodeError):
    """No change has that number yet: this is another record than the one it was read from.

    `newest` is the number of the newest change.
    """

    def __init__(self, newest: int) -> None:
        super().__init__(
            f"`Last-Event-ID` or `after` is beyond the newest change, {newest}: this is another "
            "record than the one it was read from, as after a restore; read /v1/changes anew"
        )
        self.newest = newest


class TooManyStreams(NodeError):
    """All streams of events are taken; read /v1/changes, or come back later."""


class TooManySearches(NodeError):
    """Too many search at the same time; ask again in a few seconds."""


class NotAcceptable(NodeError):
    """The answer comes as application/dicom+json only; name that in `Accept`."""


class ParquetUnavailable(NodeError):
    """No Parquet is written here: install the extra `parquet`, or ask for CSV."""


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
