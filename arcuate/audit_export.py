"""Writing the audit trail out, with what its chain can be checked by."""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, Final, TextIO

from core.csv_text import neutral
from core.tables.audit_entries import AuditEntryRow

_COLUMNS: Final = (
    *("number", "at", "actor", "actor_role", "address", "action", "object_kind", "object_id"),
    *("patients", "outcome", "detail", "receipt", "purged_to", "keyed", "previous", "digest"),
)


def write_json_lines(rows: Iterable[AuditEntryRow], file: TextIO) -> int:
    """Write one JSON object a line; return how many."""
    count = 0
    for row in rows:
        file.write(json.dumps(_told(row), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_csv(rows: Iterable[AuditEntryRow], file: TextIO) -> int:
    """Write a table; return how many rows."""
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    count = 0
    for row in rows:
        told = _told(row)
        writer.writerow([_cell(told[name]) for name in _COLUMNS])
        count += 1
    return count


def _told(row: AuditEntryRow) -> Mapping[str, Any]:
    told = {name: getattr(row, name) for name in _COLUMNS}
    # As the chain hashes it.
    told["at"] = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return told


def _cell(value: object) -> object:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return neutral(value)
