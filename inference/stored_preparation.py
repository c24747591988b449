"""Preparing instances of the archive: each in whatever process, which opens the record itself.

Only what was measured is handed back; pictures for people are kept where they are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from core.clock import utc_now
from core.database import Database
from core.errors import InfrastructureError, NodeError, RecordNotFound
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage
from inference.model_card import ModelKind
from inference.prepared_scan import PreparedScan
from inference.prepared_scan import prepare_stored as prepare_scan
from inference.stored_scan import LocalizerAwaited


@dataclass(frozen=True)
class StoredInstance:
    """Which instance to prepare, and the settings that say where its record and its bytes are.

    Attributes
    ----------
    key
        Primary key of its row.
    age_limits_years
        Youngest and oldest age of each kind of model that scores.
    """

    key: int
    settings: Settings
    age_limits_years: Mapping[ModelKind, tuple[float, float]]


class Hindrance(StrEnum):
    """Why an instance could not be prepared."""

    #: What belongs to it may be on its way still.
    AWAITED = "awaited"
    #: It is not kept any more: it was removed in order.
    GONE = "gone"
    #: The database or the storage is away.
    AWAY = "away"
    #: Its work failed.
    FAILED = "failed"


@dataclass(frozen=True)
class Hindered:
    """An instance that could not be prepared; `message` holds no patient data."""

    hindrance: Hindrance
    message: str = ""


def prepare_stored(instance: StoredInstance) -> PreparedScan | Hindered:
    """Read and measure an instance, and keep its pictures, in a process that does only that."""
    return prepare_from(*_opened(instance.settings), instance)


def prepare_from(
    database: Database, storage: Storage, instance: StoredInstance
) -> PreparedScan | Hindered:
    """Read and measure an instance, and keep its pictures."""
    try:
        return prepare_scan(instance.key, database, storage, instance.age_limits_years, utc_now())
    except LocalizerAwaited:
        return Hindered(Hindrance.AWAITED)
    except RecordNotFound as error:
        return _of_missing(database, instance.key, str(error))
    except InfrastructureError as error:
        return Hindered(Hindrance.AWAY, str(error))
    except NodeError as error:
        return Hindered(Hindrance.FAILED, str(error))


def _of_missing(database: Database, instance_key: int, message: str) -> Hindered:
    """Tell what was removed in order from what is lost, of which somebody must hear."""
    try:
        with database.reading() as session:
            row = session.get(InstanceRow, instance_key)
    except InfrastructureError as error:
        return Hindered(Hindrance.AWAY, str(error))
    is_kept = row is not None and row.bytes_removed_at is None
    return Hindered(Hindrance.FAILED if is_kept else Hindrance.GONE, message)


@lru_cache(maxsize=1)
def _opened(settings: Settings) -> tuple[Database, Storage]:
    return Database(settings.database), open_storage(settings)
