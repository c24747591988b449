"""Two defects of highdicom 0.28.2, corrected in the document it built.

Each has a test that fails once a later highdicom is right by itself; then drop the correction.
"""

from typing import Final

from pydicom import Dataset

_MEASUREMENT_METHOD: Final = "370129005"
_UNCERTAINTIES: Final = frozenset({"371886008", "371885007"})


def correct(document: Dataset) -> None:
    """Correct every content item below this one, in place.

    The Measurement Method of a group modifies it (TID 1501 row 4: HAS CONCEPT MOD) and is not
    contained; an uncertainty has the unit of the value it belongs to (TID 310 row 5), not `1`.
    """
    for item in document.get("ContentSequence", ()):
        code = _name_code(item)
        if code == _MEASUREMENT_METHOD and document.ValueType == "CONTAINER":
            item.RelationshipType = "HAS CONCEPT MOD"
        if code in _UNCERTAINTIES:
            unit = document.MeasuredValueSequence[0].MeasurementUnitsCodeSequence
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = unit
        correct(item)


def _name_code(item: Dataset) -> str | None:
    name = item.get("ConceptNameCodeSequence")
    return str(name[0].CodeValue) if name else None
