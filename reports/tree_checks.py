"""What the tree of a structured report must say; see `reports.checks`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydicom import Dataset

from core.values.laterality import Laterality
from core.values.prediction import FieldDeviations, FieldEstimate, Prediction
from reports.errors import require

#: First and last x of each row of the 24-2 pattern of a right eye, top row first, in degree; told
#: here anew (PS3.3 C.8.26.4, contract of the pattern), so that a fault elsewhere cannot hide.
_ROWS: Final = (
    (21, -9, 9),
    (15, -15, 15),
    (9, -21, 21),
    (3, -27, 21),
    (-3, -27, 21),
    (-9, -21, 21),
    (-15, -15, 15),
    (-21, -9, 9),
)
_BLIND_SPOT: Final = frozenset({(15, 3), (15, -3)})
#: The 52 places of a right eye in the order of the values.
_PLACES: Final = tuple(
    (x, y)
    for y, first, last in _ROWS
    for x in range(first, last + 1, 6)
    if (x, y) not in _BLIND_SPOT
)

_GROUP, _FINDING, _SIDE, _DERIVATION = "125007", "121071", "272741003", "121401"
_ESTIMATED: Final = "414135002"
_SIDES: Final[Mapping[str, Laterality]] = {"24028007": Laterality.RIGHT, "7771000": Laterality.LEFT}
_UPPER, _LOWER = "371886008", "371885007"
#: Values are written to 0.01 dB.
_TOLERANCE_DB: Final = 0.0051


def check_eyes_of_tree(report: Dataset, eyes: Sequence[Laterality | None]) -> None:
    """Check that the tree names these eyes and no other, and nothing but estimates in dB."""
    named = {
        _SIDES.get(_code_of(item))
        for item in _below(report)
        if _name_of(item) == _SIDE and item.get("ValueType") == "CODE"
    }
    require(named == {eye for eye in eyes if eye}, "Laterality (272741003) is of another eye")
    for item in _below(report):
        if item.get("ValueType") == "NUM" and _unit_of(item) == "dB" and not _is_property(item):
            derivations = [_code_of(i) for i in _children(item) if _name_of(i) == _DERIVATION]
            require(derivations == [_ESTIMATED], "a value in dB is not marked as estimated")


def check_field_of_tree(report: Dataset, prediction: Prediction) -> None:
    """Check that the 52 places stand where the patient sees them, with their values."""
    groups = [item for item in _below(report) if _name_of(item) == _GROUP]
    points = [values for values in map(_values_of, groups) if "PTX" in values]
    estimate, deviations = prediction.estimate, prediction.deviations
    if estimate is None or deviations is None or prediction.reasons:
        in_decibel = [i for i in _below(report) if _unit_of(i) == "dB"]
        require(not points and not in_decibel, "it has values, the prediction has none")
        return
    sign = -1 if prediction.laterality is Laterality.LEFT else 1
    expected = [(sign * x, y) for x, y in _PLACES]
    found = {(round(v["PTX"]), round(v["PTY"])): v for v in points if "PTY" in v}
    require(
        len(points) == len(found) == len(_PLACES) and set(found) == set(expected),
        "its places are not the 52 of this eye as the patient sees them",
    )
    for index, place in enumerate(expected):
        _check_point(found[place], index, estimate, deviations)
    for item in _below(report):
        if _name_of(item) in {_UPPER, _LOWER}:
            require(_unit_of(item) == "dB", "the unit of an uncertainty is not dB")


def check_no_numbers(report: Dataset, eye: Laterality | None) -> None:
    """Check that the groups of an eye have no number, as where a review withholds them."""
    for group in (item for item in _below(report) if _name_of(item) == _GROUP):
        sides = {_SIDES.get(_code_of(i)) for i in _below(group) if _name_of(i) == _SIDE}
        require(
            eye not in sides or not _values_of(group),
            "it has a number of an eye that a review said must not be used",
        )


def _check_point(
    found: Mapping[str, float], index: int, estimate: FieldEstimate, deviations: FieldDeviations
) -> None:
    value = float(estimate.sensitivities_db[index])
    expected = {
        "PTS": value,
        "PTTD": float(deviations.total_deviation_db[index]),
        "PTPD": float(deviations.pattern_deviation_db[index]),
        _UPPER: float(estimate.upper_db[index]) - value,
        _LOWER: value - float(estimate.lower_db[index]),
    }
    for name, number in expected.items():
        is_same = name in found and abs(found[name] - number) <= _TOLERANCE_DB
        require(is_same, f"a value of {name} is not that of the prediction at its place")


def _values_of(group: Dataset) -> dict[str, float]:
    """Return the numbers of a group by code, those below a number included."""
    return {
        _name_of(item): float(item.MeasuredValueSequence[0].NumericValue)
        for item in _below(group)
        if item.get("ValueType") == "NUM"
    }


def _below(parent: Dataset) -> Iterator[Dataset]:
    for item in _children(parent):
        yield item
        yield from _below(item)


def _children(parent: Dataset) -> Sequence[Dataset]:
    return parent.get("ContentSequence") or ()


def _name_of(item: Dataset) -> str:
    name = item.get("ConceptNameCodeSequence")
    return str(name[0].CodeValue) if name else ""


def _code_of(item: Dataset) -> str:
    return str(item.ConceptCodeSequence[0].CodeValue)


def _unit_of(item: Dataset) -> str:
    measured = item.get("MeasuredValueSequence")
    return str(measured[0].MeasurementUnitsCodeSequence[0].CodeValue) if measured else ""


def _is_property(item: Dataset) -> bool:
    return bool(item.get("RelationshipType") == "HAS PROPERTIES")
