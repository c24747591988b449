"""The rows of instances that came together: all in one transaction, or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from core.changes import append_changes
from core.driver_statement import DriverStatement, is_one_of
from core.ledger import enqueue_all
from core.tables.changes import ChangeKind
from core.tables.columns import table_of
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind
from dicom_node.devices.input_class import is_measured_field, is_model_input
from dicom_node.errors import InstanceConflict, InstanceRefused
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.header import Header
from dicom_node.storage.hierarchy import find_series_keys, settle_series
from dicom_node.storage.instances import Arrival, add_instances
from dicom_node.storage.retention.sent_again import keep_longer


@dataclass(frozen=True)
class IngestOutcome:
    """What became of an instance that is kept.

    Attributes
    ----------
    instance_key
        Primary key of its row.
    is_new
        False where the same content was kept before; no work came of it then.
    """

    instance_key: int
    sop_instance_uid: str
    digest: str
    is_new: bool


#: What became of an instance: kept, or why not.
Result = IngestOutcome | InstanceRefused


class _Kept(NamedTuple):
    """What is known of an instance that is kept."""

    key: int
    sop_instance_uid: str
    digest: str
    transfer_syntax_uid: str
    storage_key: str


_INSTANCES: Final = table_of(InstanceRow)
_KNOWN: Final = DriverStatement(
    lambda dialect: select(*(_INSTANCES.c[name] for name in ("id", *_Kept._fields[1:]))).where(
        is_one_of(_INSTANCES.c.sop_instance_uid, "uids", dialect)
    )
)


def record(
    connection: Connection,
    arrivals: Sequence[Arrival],
    make_durable: Callable[[Sequence[tuple[Arrival, str]]], None],
) -> list[Result]:
    """Write the rows of arrivals in the caller's transaction; return what became of each.

    Parameters
    ----------
    arrivals
        No two of the same SOP Instance UID.
    make_durable
        Called with those that are taken in and the storage key of each, before the row of any is
        written: a refusal leaves no bytes behind.
    """
    known = _find_known(connection, arrivals)
    results = {_uid(one): _judge(known[_uid(one)], one) for one in arrivals if _uid(one) in known}
    repeated = [one for one in arrivals if isinstance(results.get(_uid(one)), IngestOutcome)]
    placed = _place(connection, [one for one in arrivals if _uid(one) not in results], results)
    restored = _keep_longer(connection, repeated, results)
    # What is known lies where its row says: files were not always named as they are now.
    keys = [(one, known[_uid(one)].storage_key) for one in repeated]
    make_durable([*keys, *((one, digest_key(one.digest)) for one, _ in placed)])
    _add(connection, placed, results)
    if restored:
        append_changes(connection, ChangeKind.BYTES_KEPT_AGAIN, restored)
    return [results[_uid(one)] for one in arrivals]


def _find_known(connection: Connection, arrivals: Sequence[Arrival]) -> dict[str, _Kept]:
    rows = _KNOWN.run(connection, {"uids": [_uid(one) for one in arrivals]})
    return {uid: _Kept(key, uid, *rest) for key, uid, *rest in rows}


def _judge(kept: _Kept, arrival: Arrival) -> Result:
    same_encoding = kept.transfer_syntax_uid == arrival.announced.transfer_syntax_uid
    if kept.digest != arrival.digest or not same_encoding:
        return InstanceConflict()
    return IngestOutcome(kept.key, kept.sop_instance_uid, kept.digest, is_new=False)


def _keep_longer(
    connection: Connection, repeated: Sequence[Arrival], results: dict[str, Result]
) -> list[str]:
    """Keep what came again from now on; return the UIDs of what retention had removed."""
    if not repeated:
        return []
    known = [results[_uid(one)] for one in repeated]
    keys = [one.instance_key for one in known if isinstance(one, IngestOutcome)]
    return keep_longer(connection, keys, max(one.received_at for one in repeated))


def _place(
    connection: Connection, arrivals: Sequence[Arrival], results: dict[str, Result]
) -> list[tuple[Arrival, int]]:
    """Return each with the key of its series; what contradicts the record goes to the results."""
    known = find_series_keys(connection, [one.header for one in arrivals]) if arrivals else {}
    placed = []
    for one in arrivals:
        try:
            key = known.get(_uid(one)) or settle_series(connection, one.header, one.received_at)
            placed.append((one, key))
        except InstanceRefused as refusal:
            results[_uid(one)] = refusal
    return placed


def _add(
    connection: Connection, placed: Sequence[tuple[Arrival, int]], results: dict[str, Result]
) -> None:
    if not placed:
        return
    rows = [(one, key, first_outcome(one.header)) for one, key in placed]
    keys = add_instances(connection, rows, InstanceOrigin.RECEIVED)
    added = list(zip(rows, keys, strict=True))
    to_analyse = [str(key) for (*_, outcome), key in added if outcome is InstanceOutcome.PENDING]
    enqueue_all(connection, JobKind.ANALYSE, to_analyse)
    measured = [str(key) for (one, *_), key in added if _is_measured_field(one)]
    enqueue_all(connection, JobKind.READ_FIELD, measured)
    append_changes(connection, ChangeKind.INSTANCE_RECEIVED, [_uid(one) for one, _ in placed])
    for (one, *_), key in added:
        results[_uid(one)] = IngestOutcome(key, _uid(one), one.digest, is_new=True)


def first_outcome(header: Header) -> InstanceOutcome:
    """Return how a new instance stands: to be analysed, or for no model."""
    texts = header.texts
    to_analyse = is_model_input(header.sop_class_uid, texts["Modality"], texts["Manufacturer"])
    return InstanceOutcome.PENDING if to_analyse else InstanceOutcome.NOT_MODEL_INPUT


def _is_measured_field(arrival: Arrival) -> bool:
    return is_measured_field(arrival.header.sop_class_uid)


def _uid(arrival: Arrival) -> str:
    return arrival.header.sop_instance_uid
