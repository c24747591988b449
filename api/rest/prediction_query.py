"""What predictions can be searched for: the parameters, and each as a condition in SQL."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BeforeValidator, Field, TypeAdapter
from sqlalchemy import and_
from sqlmodel import col

from api.schemas.listing import PageQuery
from core.patients import keys_named
from core.perimetry.severity import BOUNDS_DB, Severity
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.studies import StudyRow
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus

_DATE_CHARACTERS: Final = len("2026-03-04")
_DATE: Final = TypeAdapter(date)


def _first_moment(text: object) -> object:
    return _moment_of_day(text, time.min)


def _last_moment(text: object) -> object:
    return _moment_of_day(text, time.max)


def _moment_of_day(text: object, at: time) -> object:
    """Turn a bare date into a moment of that day; a moment stays as it is.

    Days are days of the clinic, whose time zone is the node's, as devices name none.
    """
    if not isinstance(text, str) or len(text) != _DATE_CHARACTERS:
        return text
    return datetime.combine(_DATE.validate_python(text), at).astimezone()


#: The first moment that counts, and the last.
From = Annotated[
    AwareDatetime | None,
    BeforeValidator(_first_moment),
    Field(description="Date or RFC 3339 time.", examples=["2026-03-01"]),
]
To = Annotated[
    AwareDatetime | None,
    BeforeValidator(_last_moment),
    Field(description="Date (its whole day counts) or RFC 3339 time.", examples=["2026-03-31"]),
]
Decibel = Annotated[float | None, Field(allow_inf_nan=False)]


class PredictionFilter(PageQuery):
    """What to search for; every filter narrows the list."""

    patient_id: Annotated[
        str | None, Field(description="Also one the patient had before a merge.")
    ] = None
    issuer: Annotated[str | None, Field(description="Empty: patients without one.")] = None
    study_uid: str | None = None
    accession_number: str | None = None
    laterality: Laterality | None = None
    model: Annotated[
        str | None, Field(description="NAME or NAME:VERSION.", examples=["retinervenet:1.0.0"])
    ] = None
    status: PredictionStatus | None = None
    acquired_from: Annotated[
        From, Field(description="Date or RFC 3339 time; scans without a time are left out.")
    ] = None
    acquired_to: To = None
    received_from: From = None
    received_to: To = None
    predicted_from: From = None
    predicted_to: To = None
    mean_deviation_min: Annotated[
        Decibel, Field(description="dB; only estimates at or above it.")
    ] = None
    mean_deviation_max: Annotated[
        Decibel, Field(description="dB; only estimates at or below it.")
    ] = None
    severity: Annotated[
        Severity | None,
        Field(
            description="Class of the estimated mean deviation by Hodapp, Parrish and Anderson: "
            "early (-6 dB or better, healthy fields too), moderate, severe (worse than -12 dB). "
            "An estimate, no stage of a disease."
        ),
    ] = None
    manufacturer: Annotated[str | None, Field(description="Of the device.")] = None
    device_model: str | None = None
    device_serial_number: str | None = None

    def conditions(self) -> list[Any]:
        """Return the filters that are given, as conditions on the joined rows."""
        found = [
            condition(value)
            for name, condition in _CONDITIONS.items()
            if (value := getattr(self, name)) is not None
        ]
        return [*found, *self._of_patient()]

    def _of_patient(self) -> list[Any]:
        if self.patient_id is not None:
            named = keys_named(self.patient_id, self.issuer)
            return [col(StudyRow.patient_key).in_(named)]
        return [] if self.issuer is None else [col(PatientRow.issuer) == self.issuer]


def _is_model(text: str) -> Any:
    name, _, version = text.partition(":")
    is_named = col(PredictionRow.model_name) == name
    return and_(is_named, col(PredictionRow.model_version) == version) if version else is_named


def _is_severe(severity: Severity) -> Any:
    at_least, below = BOUNDS_DB[severity]
    index = col(PredictionRow.mean_deviation_db)
    bounds = [] if at_least is None else [index >= at_least]
    return and_(*bounds, *([] if below is None else [index < below]))


def _is(column: Any) -> Callable[[Any], Any]:
    return lambda value: column == value


def _from(column: Any) -> Callable[[Any], Any]:
    return lambda value: column >= value


def _to(column: Any) -> Callable[[Any], Any]:
    return lambda value: column <= value


_CONDITIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "study_uid": _is(col(StudyRow.study_instance_uid)),
    "accession_number": _is(col(StudyRow.accession_number)),
    "laterality": _is(col(PredictionRow.laterality)),
    "model": _is_model,
    "status": _is(col(PredictionRow.status)),
    "acquired_from": _from(col(PredictionRow.acquired_at)),
    "acquired_to": _to(col(PredictionRow.acquired_at)),
    "received_from": _from(col(InstanceRow.received_at)),
    "received_to": _to(col(InstanceRow.received_at)),
    "predicted_from": _from(col(PredictionRow.predicted_at)),
    "predicted_to": _to(col(PredictionRow.predicted_at)),
    "mean_deviation_min": _from(col(PredictionRow.mean_deviation_db)),
    "mean_deviation_max": _to(col(PredictionRow.mean_deviation_db)),
    "severity": _is_severe,
    "manufacturer": _is(col(PredictionRow.manufacturer)),
    "device_model": _is(col(PredictionRow.manufacturer_model_name)),
    "device_serial_number": _is(col(PredictionRow.device_serial_number)),
}
