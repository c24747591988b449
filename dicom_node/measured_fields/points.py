"""The tested places of an object."""

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from core.perimetry.places import eye_of_24_2
from core.values.laterality import Laterality
from core.values.measured_field import MeasuredPoint
from dicom_node.devices.attributes import items_of, text_of
from dicom_node.measured_fields.errors import FieldRefused
from dicom_node.measured_fields.indices import first_item, number_of

#: Sensitivities no perimeter measures, in dB: such a number is another unit or a damaged value.
_LARGEST_DB: Final = 60.0


def read_points(dataset: Dataset) -> tuple[MeasuredPoint, ...]:
    """Return each place of Visual Field Test Point Sequence (0024,0089), in its order.

    Raises
    ------
    FieldRefused
        If there is none, one has no coordinates or an impossible value, or two are at one place.
    """
    points = tuple(_point_of(item) for item in items_of(dataset, "VisualFieldTestPointSequence"))
    if not points:
        raise FieldRefused("Visual Field Test Point Sequence (0024,0089) has no points")
    if len({(point.x_degree, point.y_degree) for point in points}) != len(points):
        raise FieldRefused("Two test points have the same coordinates")
    return points


def check_eye(points: Sequence[MeasuredPoint], laterality: Laterality) -> None:
    """Refuse a 24-2 whose places are those of the other eye.

    Raises
    ------
    FieldRefused
        If they are.
    """
    found = eye_of_24_2([p.x_degree for p in points], [p.y_degree for p in points])
    if found is not None and found is not laterality:
        raise FieldRefused(
            f"The eye is not certain: Measurement Laterality says {laterality.eye}, the test "
            f"points are those of a {found.eye}. Correct it at the perimeter and send it again."
        )


def _point_of(item: Dataset) -> MeasuredPoint:
    x, y = (number_of(item, f"VisualFieldTestPoint{axis}Coordinate") for axis in "XY")
    if x is None or y is None:
        raise FieldRefused("A test point has no coordinates (0024,0090), (0024,0091)")
    value = number_of(item, "SensitivityValue")
    if value is not None and value > _LARGEST_DB:
        raise FieldRefused(f"A sensitivity (0024,0094) is above {_LARGEST_DB:g} dB")
    is_seen = _is_seen(item, value)
    normals = first_item(item, "VisualFieldTestPointNormalsSequence")
    return MeasuredPoint(
        x_degree=x,
        y_degree=y,
        # One that was seen at less than nothing contradicts itself: its value is not known.
        sensitivity_db=value if is_seen and value is not None and value >= 0 else None,
        is_seen=is_seen,
        total_deviation_db=number_of(normals, "AgeCorrectedSensitivityDeviationValue"),
        pattern_deviation_db=number_of(
            normals, "GeneralizedDefectCorrectedSensitivityDeviationValue"
        ),
    )


def _is_seen(item: Dataset, value: float | None) -> bool:
    """Whether the brightest stimulus was seen, as Stimulus Results (0024,0093) says.

    Some devices say nothing there, and write what was not seen as a negative number.
    """
    results = text_of(item, "StimulusResults").upper()
    return results == "SEEN" or (results != "NOT SEEN" and (value is None or value >= 0))
