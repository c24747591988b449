"""Who made a report: this service, never the maker of the scanner."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from core.values.prediction import ModelIdentity
from reports.identifiers import derived_uid


@dataclass(frozen=True)
class Equipment:
    """The service as General Equipment and as device observer.

    Attributes
    ----------
    software_version
        Version of the installed service (0018,1020).
    device_serial
        What tells this installation from others (0018,1000).
    manufacturer, model_name
        (0008,0070) and (0008,1090).
    time_zone
        The zone the clinic's devices write dates and times in; used where a source does not name
        its own, so that the dates of the report and of the study it copies are in one zone.
    """

    software_version: str
    device_serial: str
    manufacturer: str = "Arcuate"
    model_name: str = "Arcuate"
    time_zone: tzinfo = UTC


def device_uid(*models: ModelIdentity) -> str:
    """Return the Device UID (0018,1002) of the service with these models: new for new weights."""
    return derived_uid("device", *sorted({model.digest for model in models}))
