"""What the HTTP side refuses. Messages name parameters and causes, never a patient."""

import math
from collections.abc import Iterable
from typing import ClassVar

from core.errors import InfrastructureError, NodeError, RecordNotFound
from core.keys import Role


class NotSignedIn(NodeError):
    """An API key is needed: send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`."""


class TokenRefused(NotSignedIn):
    """The access token is not valid.

    `cause` says why, in words that hold nothing of it; `is_forged` where no provider would have
    issued it, which is not so of one that is only too old.
    """

    def __init__(self, cause: str, is_forged: bool = True) -> None:
        super().__init__(f"The access token is refused: {cause}")
        self.cause, self.is_forged = cause, is_forged


class LoginRefused(NodeError):
    """That key or link is not valid: it is unknown, revoked, used or too old."""


class LoginWithoutRole(NodeError):
    """You are known, but have no role here: an administrator maps one of your groups to a role."""


class ProviderLoginRefused(LoginRefused):
    """Signing in at the provider did not succeed: begin again on the page for signing in."""


class ProviderAway(InfrastructureError):
    """The OpenID provider does not answer, or not as it should.

    `is_refusal` where it did answer, and says that the request is none it grants.
    """

    def __init__(self, *message: str, is_refusal: bool = False) -> None:
        super().__init__(*message)
        self.is_refusal = is_refusal


class AmendmentNotMeant(NodeError):
    """Another MD, or that it is not assessable, goes with Amend alone: choose that, or empty it."""


class AskedTooOften(NodeError):
    """Too many requests; come back later.

    `seconds` says how much later, `words` is the message without them.
    """

    words: ClassVar[str] = "Too many requests: come back in %(seconds)s s"

    def __init__(self, seconds: float) -> None:
        self.seconds = math.ceil(seconds)
        super().__init__(self.words % {"seconds": self.seconds})


class AddressPaused(AskedTooOften):
    """Too many wrong keys came from this address; it must pause."""

    words: ClassVar[str] = (
        "Too many wrong keys came from this address: try again in %(seconds)s s; an "
        "administrator sees it in `arcuate keys failures`"
    )


class ServingNameTaken(NodeError):
    """A deployment answers to that serving name already."""


class NotMadeHere(NodeError):
    """Deployments follow from which models are active: `arcuate models activate` makes them."""


class AdministratorExists(NodeError):
    """There is an administrator already; `arcuate keys link NAME` signs the holder of a key in."""


class HostRefused(NodeError):
    """Without authentication only requests to localhost are answered; set `auth = keys`."""


class OriginRefused(NodeError):
    """Forms of other sites are not taken."""


class FormRefused(NodeError):
    """The form is too old, or not of our pages: load the page again and repeat what you did."""


class RoleMissing(NodeError):
    """The caller has not the role that this needs.

    `roles` are those that may.
    """

    def __init__(self, roles: Iterable[str]) -> None:
        self.roles = [role for role in Role if role in set(roles)]
        if not self.roles:
            super().__init__("Nobody may do that")
            return
        super().__init__(
            f"This needs the role {' or '.join(self.roles)}: `arcuate keys create NAME --role "
            f"{self.roles[0]}` makes a key of it, and auth must not be none"
        )


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


class ModelUnknown(RecordNotFound):
    """There is no model of that name and version that can be asked; `/v2/models` names them."""


class NobodyScored(NodeError):
    """No process that scores answered in time: is none running (`arcuate infer`), or is it busy."""
