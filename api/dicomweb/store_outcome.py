"""What became of the objects of one store request."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from core.errors import InfrastructureError, NodeError
from dicom_node.errors import ObjectTooLarge


@dataclass(frozen=True)
class StoredInstance:
    """An object that is kept, now or since before. `instance_key` is its row's primary key."""

    sop_class_uid: str
    sop_instance_uid: str
    instance_key: int


@dataclass(frozen=True)
class FailedInstance:
    """An object that is not kept, and why. Its UIDs are empty where it did not say them."""

    sop_class_uid: str
    sop_instance_uid: str
    error: NodeError


@dataclass(frozen=True)
class StoreOutcome:
    """Every object of a request, each in one of the two, in the order they came."""

    stored: Sequence[StoredInstance]
    failed: Sequence[FailedInstance]

    @property
    def status(self) -> HTTPStatus:
        """The status of PS3.18 10.5.3: all kept, some, or none."""
        if not self.failed:
            return HTTPStatus.OK
        return HTTPStatus.ACCEPTED if self.stored else HTTPStatus.CONFLICT

    @property
    def fault(self) -> NodeError | None:
        """What stopped the request as a whole, not one object for what it is; None elsewhere.

        Its status tells a client more than 409 does: to send less, or the same again later.
        """
        errors = [failed.error for failed in self.failed]
        is_whole = not self.stored and all(
            isinstance(error, InfrastructureError | ObjectTooLarge) for error in errors
        )
        return errors[0] if is_whole and errors else None
