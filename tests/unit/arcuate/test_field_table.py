from datetime import date, datetime

import pytest

from arcuate.field_table import FieldLine, field_of
from core.perimetry.pattern import LOCATIONS

_BORN = date(1950, 1, 1)


def _line(**values: str) -> FieldLine:
    sensitivities = {f"Sens_{location}": "20" for location in LOCATIONS}
    return FieldLine(2, {"PatID": "P1", "Eye": "Right", **sensitivities, **values})


def test_age_follows_from_the_day_and_the_birth_date() -> None:
    found = field_of(_line(Date="2020-01-01"), _BORN)

    assert found.measured_at == datetime.fromisoformat("2020-01-01")
    assert found.age_years == pytest.approx(70.0, abs=0.01)


def test_age_that_the_line_states_stands() -> None:
    assert field_of(_line(Date="2020-01-01", Age="69.5"), _BORN).age_years == 69.5


@pytest.mark.parametrize(
    ("day", "born"),
    [("2020-01-01", None), ("1949-12-31", _BORN), ("2199-01-01", _BORN), ("", _BORN)],
)
def test_age_is_unknown_where_it_follows_from_nothing(day: str, born: date | None) -> None:
    assert field_of(_line(Date=day), born).age_years is None
