"""What every report of a prediction says in its header: its series, its time, its maker."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from highdicom import ContributingEquipment
from pydicom import Dataset

from core.values.prediction import Prediction
from reports import codes
from reports.equipment import Equipment
from reports.outcome import Outcome, outcome_of

_OFFSET: Final = re.compile(r"([+-])(\d{2})([0-5]\d)")


@dataclass(frozen=True)
class Moment:
    """When a report was made, in the zone that its study's dates and times are in."""

    local: datetime

    @property
    def date(self) -> str:
        """The day as DA."""
        return self.local.strftime("%Y%m%d")

    @property
    def time(self) -> str:
        """The time of day as TM."""
        return self.local.strftime("%H%M%S.%f")

    @property
    def offset(self) -> str:
        """The zone as Timezone Offset From UTC (0008,0201)."""
        return self.local.strftime("%z")[:5]


def moment_of(prediction: Prediction, header: Dataset, equipment: Equipment) -> Moment:
    """Return when the prediction was made; the report has no other time of its own."""
    zone = zone_of(header) or equipment.time_zone
    return Moment(prediction.predicted_at.astimezone(zone))


def series_description(prediction: Prediction) -> str:
    """Return the Series Description: lists show nothing else, so eye and nature stand in it."""
    eye = prediction.laterality.value if prediction.laterality else "eye unknown"
    if outcome_of(prediction) is Outcome.ESTIMATED:
        return f"AI estimated VF 24-2 {eye} - not measured"
    return f"AI estimated VF 24-2 {eye} - no estimate, not measured"


def contributing_equipment(prediction: Prediction, equipment: Equipment) -> ContributingEquipment:
    """Return the item of (0018,A001) for the service with this model."""
    return ContributingEquipment(
        manufacturer=equipment.manufacturer,
        purpose_of_reference=codes.PROCESSING_EQUIPMENT,
        manufacturer_model_name=equipment.model_name,
        software_versions=[equipment.software_version, prediction.model.version],
        device_serial_number=equipment.device_serial,
        contribution_description=(
            f"24-2 visual field estimated from {prediction.origin}, not measured"
        ),
    )


def stamp(report: Dataset, moment: Moment) -> None:
    """Write the zone and every time that the library would take from its own clock."""
    report.InstanceCreationDate = moment.date
    report.InstanceCreationTime = moment.time
    report.TimezoneOffsetFromUTC = moment.offset
    for item in report.ContributingEquipmentSequence:
        if item.PurposeOfReferenceCodeSequence[0].CodeValue == codes.PROCESSING_EQUIPMENT.value:
            item.ContributionDateTime = moment.date + moment.time


def zone_of(header: Dataset) -> tzinfo | None:
    """Return the zone a source says it writes in; None where it says none."""
    match = _OFFSET.fullmatch(str(header.get("TimezoneOffsetFromUTC", "")))
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    # The standard's range is -12:00 to +14:00; anything else is no zone.
    if minutes > 14 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
