"""Ophthalmic Visual Field Static Perimetry Measurements, as perimeters and their archives write it.

Source: PS3.3 C.8.26.
"""

from typing import Final

from pydicom.dataset import Dataset

from core.values.laterality import Laterality
from core.values.measured_field import FieldPattern, MeasuredField, MeasuredPoint
from dicom_node.devices.attributes import silenced_reader, text_of
from dicom_node.devices.examination_time import read_age_years
from dicom_node.devices.laterality import BOTH, eyes_of
from dicom_node.measured_fields.errors import FieldRefused
from dicom_node.measured_fields.indices import (
    first_item,
    number_of,
    read_index_number,
    read_index_words,
    read_reliability,
)
from dicom_node.measured_fields.measured_at import read_measured_at
from dicom_node.measured_fields.points import check_eye, read_points
from dicom_node.measured_fields.protocols import read_pattern, read_strategy

#: Patterns whose places tell which eye was tested.
_ONE_SIDED: Final = (FieldPattern.P24_2, FieldPattern.P24_2C)
_VISUAL_FIELD_INDEX: Final = "111852"
_HEMIFIELD_TEST: Final = "111855"
#: Where people and programs say what an object is.
_DESCRIPTIONS: Final = (
    "SeriesDescription",
    "StudyDescription",
    "ProtocolName",
    "ImageComments",
    "PerformedProcedureStepDescription",
    "CommentsOnThePerformedProcedureStep",
    "CommentsOnPatientPerformanceOfVisualField",
    "DerivationDescription",
)
_NOT_MEASURED: Final = ("estimat", "not measured", "predicted", "simulated")


def read_field(dataset: Dataset) -> MeasuredField:
    """Return the test that an object holds.

    Raises
    ------
    FieldRefused
        If the eye is not certain, the places contradict it, or it says that nobody measured it.
    """
    with silenced_reader():
        _check_is_measured(dataset)
        laterality = _read_laterality(dataset)
        pattern = read_pattern(dataset)
        points = read_points(dataset)
        if pattern in _ONE_SIDED:
            check_eye(points, laterality)
        return _field_of(dataset, laterality, pattern, points)


def _field_of(
    dataset: Dataset,
    laterality: Laterality,
    pattern: FieldPattern,
    points: tuple[MeasuredPoint, ...],
) -> MeasuredField:
    measured_at = read_measured_at(dataset)
    normals = first_item(dataset, "ResultsNormalsSequence")
    has_fovea = text_of(dataset, "FovealSensitivityMeasured").upper() == "YES"
    return MeasuredField(
        laterality=laterality,
        pattern=pattern,
        points=points,
        measured_at=measured_at,
        strategy=read_strategy(dataset),
        age_years=read_age_years(dataset, measured_at),
        mean_deviation_db=number_of(normals, "GlobalDeviationFromNormal"),
        pattern_standard_deviation_db=number_of(normals, "LocalizedDeviationFromNormal"),
        visual_field_index_percent=read_index_number(dataset, _VISUAL_FIELD_INDEX),
        glaucoma_hemifield_test=read_index_words(dataset, _HEMIFIELD_TEST),
        foveal_sensitivity_db=number_of(dataset, "FovealSensitivity") if has_fovea else None,
        reliability=read_reliability(dataset),
    )


def _check_is_measured(dataset: Dataset) -> None:
    said = " ".join(text_of(dataset, keyword) for keyword in _DESCRIPTIONS).lower()
    if any(word in said for word in _NOT_MEASURED):
        raise FieldRefused("The object says of itself that it was not measured")


def _read_laterality(dataset: Dataset) -> Laterality:
    eyes = eyes_of(dataset, "MeasurementLaterality") | eyes_of(dataset, "Laterality")
    if len(eyes) == 1 and eyes <= set(Laterality):
        return Laterality(next(iter(eyes)))
    state = "differ" if len(eyes) > 1 else "name both eyes" if BOTH in eyes else "name no eye"
    raise FieldRefused(
        f"Measurement Laterality (0024,0113) and Laterality (0020,0060) {state}. Correct it at the "
        "perimeter and send it again."
    )
