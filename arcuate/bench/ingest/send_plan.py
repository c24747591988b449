"""What a sending process is told: to whom, which object, under which identities."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from arcuate.bench.ingest.encoded_object import EncodedObject, Identity


@dataclass(frozen=True)
class StoredObject:
    """An encoded object whose data set lies in a file, for other processes to read."""

    sop_class_uid: str
    transfer_syntax_uid: str
    path: str
    places: Mapping[str, int]

    @classmethod
    def put(cls, encoded: EncodedObject, path: Path) -> Self:
        """Write the data set into a file."""
        path.write_bytes(encoded.data_set)
        return cls(encoded.sop_class_uid, encoded.transfer_syntax_uid, str(path), encoded.places)

    def load(self) -> EncodedObject:
        """Read the object back."""
        return EncodedObject(
            self.sop_class_uid,
            self.transfer_syntax_uid,
            Path(self.path).read_bytes(),
            self.places,
        )


@dataclass(frozen=True)
class SendPlan:
    """The work of one process.

    Attributes
    ----------
    target
        Who is sent to, as that process understands it.
    shares
        The identities each association or thread sends, one after the other.
    """

    target: Mapping[str, Any]
    stored: StoredObject
    shares: tuple[tuple[Identity, ...], ...]

    def to_json(self) -> str:
        """Return the plan as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read a plan back."""
        read = json.loads(line)
        shares = tuple(tuple(Identity(**one) for one in share) for share in read["shares"])
        return cls(read["target"], StoredObject(**read["stored"]), shares)


@dataclass(frozen=True)
class Timed:
    """When objects were sent and acknowledged: seconds of the clock all processes share."""

    started: float
    ended: float
    round_trips_seconds: tuple[float, ...]

    def to_json(self) -> str:
        """Return the times as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read times back."""
        read = json.loads(line)
        return cls(read["started"], read["ended"], tuple(read["round_trips_seconds"]))
