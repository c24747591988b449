"""A workload made ready: its object encoded, its identities given out, its digests known."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from arcuate.bench.ingest.encoded_object import EncodedObject, Identity, identity_of
from arcuate.bench.ingest.send_plan import StoredObject
from arcuate.bench.ingest.workloads import Workload


@dataclass(frozen=True)
class Load:
    """What one run stores.

    Attributes
    ----------
    identities
        Of the instances that are timed.
    warm_up
        Of the one stored before.
    digests
        SHA-256 of each encoded data set by SOP Instance UID, hex.
    """

    workload: Workload
    stored: StoredObject
    object_bytes: int
    identities: tuple[Identity, ...]
    warm_up: Identity
    digests: Mapping[str, str]

    @classmethod
    def prepare(cls, workload: Workload, instances: int, folder: Path) -> Self:
        """Encode the object into a file of that folder; draw identities nobody used before."""
        encoded = workload.build()
        seed = 10_000_000 + secrets.randbelow(80_000_000)
        warm_up, *identities = (
            identity_of(number, seed, workload.instances_per_study)
            for number in range(instances + 1)
        )
        return cls(
            workload,
            StoredObject.put(encoded, folder / f"{workload.name}.data-set"),
            len(encoded.data_set),
            tuple(identities),
            warm_up,
            _digests(encoded, (warm_up, *identities)),
        )

    def shares(self, associations: int) -> list[tuple[Identity, ...]]:
        """Deal the instances out; with few of them some associations would have none."""
        dealt = [self.identities[start::associations] for start in range(associations)]
        return [share for share in dealt if share]

    @property
    def megabytes(self) -> float:
        """All timed data sets, 10^6 bytes."""
        return len(self.identities) * self.object_bytes / 1e6


def _digests(encoded: EncodedObject, identities: Iterable[Identity]) -> Mapping[str, str]:
    return {
        identity.sop_instance_uid: sha256(encoded.copy(identity)).hexdigest()
        for identity in identities
    }
