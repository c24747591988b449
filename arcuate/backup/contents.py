"""What a node keeps beside its record, and which of it the record names."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, literal, select, union_all
from sqlmodel import col

from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.quarantine import QuarantineRow
from dicom_node.storage.bytes import Storage

INSTANCES, QUARANTINE, MODELS = "instances", "quarantine", "models"
#: Below these nothing is finished yet, or meant to stay.
_PASSING: Final = frozenset({".unfinished", "health"})


def folders_of(settings: Settings) -> Mapping[str, Path]:
    """Return where the files of a node lie, by what they are."""
    home = settings.home.resolve()
    return {
        INSTANCES: Storage(settings.storage_folder).root,
        QUARANTINE: home / QUARANTINE,
        MODELS: home / MODELS,
    }


def files_in(folder: Path) -> Iterator[str]:
    """Yield the path below a folder of each file that stays."""
    for path in folder.rglob("*"):
        below = path.relative_to(folder)
        if below.parts[0] not in _PASSING and path.is_file():
            yield below.as_posix()


def recorded_files(connection: Connection) -> Iterator[str]:
    """Yield each file that a record says is there, as `instances/KEY` or `quarantine/KEY`."""
    for place, key in connection.execute(_recorded()):
        yield f"{place}/{key}"


def _recorded() -> Any:
    instances = select(literal(INSTANCES), col(InstanceRow.storage_key)).where(
        col(InstanceRow.bytes_removed_at).is_(None)
    )
    aside = select(literal(QUARANTINE), col(QuarantineRow.storage_key)).where(
        col(QuarantineRow.size_bytes) > 0
    )
    pictures = (
        select(literal(INSTANCES), key).where(key.is_not(None))
        for key in (col(PredictionRow.preview_key), col(PredictionRow.fundus_key))
    )
    return union_all(instances, aside, *pictures)
