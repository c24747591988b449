"""Who this installation says it is in the reports it writes."""

from importlib.metadata import version

from dateutil.tz import tzlocal

from core.settings import Settings
from reports.equipment import Equipment


def service_equipment(settings: Settings) -> Equipment:
    """Return this installation as equipment; an AE title is what tells it from others on a site."""
    return Equipment(
        software_version=version("arcuate"), device_serial=settings.ae_title, time_zone=tzlocal()
    )
