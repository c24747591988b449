"""What every target offers: it sends objects to one kind of destination."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from core.database import Database
from core.settings import Settings
from dicom_node.storage.commitments import InstanceReference


@dataclass(frozen=True)
class Destination:
    """Where to send; `learned` is what a target found out before. The secret is its alone."""

    name: str
    kind: str
    address: str
    options: Mapping[str, Any]
    secret: str | None = field(default=None, repr=False)
    learned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outgoing:
    """An object to send; `read` returns it as a DICOM file, byte for byte as it is kept."""

    delivery_id: int
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    study_instance_uid: str
    read: Callable[[], bytes] = field(repr=False)


class Verdict(Enum):
    """How the sending of an object ended."""

    #: The destination took it, or has it.
    DELIVERED = auto()
    #: It will never take it.
    REFUSED = auto()
    #: It did not take it this time.
    FAILED = auto()


@dataclass(frozen=True)
class Sent:
    """What became of an object.

    Attributes
    ----------
    message
        Why it was not taken, or what the destination remarked; without patient data.
    sop_class_uid, sop_instance_uid
        What arrived; empty for the object itself.
    learned
        What was found out about the destination, to be remembered.
    """

    delivery_id: int
    verdict: Verdict
    message: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    learned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tools:
    """What targets send with."""

    settings: Settings
    database: Database


class Commitment(Protocol):
    """Asks a destination to commit to keeping objects (Storage Commitment, PS3.4 annex J)."""

    def ask(
        self,
        destination: Destination,
        transaction_uid: str,
        instances: Sequence[InstanceReference],
        tools: Tools,
    ) -> None:
        """Ask; the answer is recorded whenever it comes, here or at our receiver.

        Raises
        ------
        DestinationDown
            If the destination does not answer.
        CommitmentNotOffered
            If it answers, but does not offer this.
        """
        ...


class Target(Protocol):
    """Sends objects to one kind of destination."""

    @property
    def kind(self) -> str:
        """How rows and commands call it: add, never rename."""
        ...

    @property
    def about(self) -> str:
        """What an administrator reads: what the address is, and which options there are."""
        ...

    def read_options(
        self, address: str, options: Mapping[str, str], secret: str | None
    ) -> dict[str, Any]:
        """Return the options of a new destination, checked.

        Raises
        ------
        DestinationInvalid
            If the address, an option or the secret cannot be used.
        """
        ...

    def commitment_of(self, destination: Destination) -> "Commitment | None":
        """Return how a destination is asked to commit to keeping what it took; None for not."""
        ...

    def send(
        self, destination: Destination, objects: Sequence[Outgoing], tools: Tools
    ) -> Generator[Sent]:
        """Send objects in order and yield what became of each; what is not yielded was not sent.

        At least one is yielded, or an error raised. An error of reading an object is raised as it
        is: it is then about the first that was not yielded.

        Raises
        ------
        DestinationDown
            If the destination does not answer, before or after some objects.
        """
        ...

    def probe(self, destination: Destination, tools: Tools) -> None:
        """Return where the destination answers; nothing is sent.

        Raises
        ------
        DestinationDown
            If it does not.
        """
        ...
