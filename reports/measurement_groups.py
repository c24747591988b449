"""The measurement groups of the structured report (TID 1501): one of the field, one a test point.

Coordinates are degrees from fixation as the patient sees them, +x right, +y up (PS3.3 C.8.26.4).
The pattern standard deviation is left out: it was built for measured fields, an estimate is
smoother, and an importer takes the code at its word whatever stands beside it.
"""

from collections.abc import Sequence

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    FindingSite,
    Measurement,
    MeasurementProperties,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
)
from pydicom import Dataset

from core.perimetry import pattern
from core.values.laterality import Laterality
from core.values.prediction import FieldDeviations, FieldEstimate, Prediction
from core.values.review import Review
from reports import codes
from reports.algorithm import algorithm_identification
from reports.equipment import Equipment
from reports.field_words import field_of
from reports.outcome import Outcome, outcome_of
from reports.reasons import decision_evaluations, reason_evaluations
from reports.tracking import tracking_identifier


def point_groups(prediction: Prediction) -> list[MeasurementsAndQualitativeEvaluations]:
    """Return one group for each of the 52 test points; none where there is no field."""
    if outcome_of(prediction) is not Outcome.ESTIMATED:
        return []
    estimate, deviations, eye = field_of(prediction)
    finding = codes.FUNDUS_POINT if prediction.is_of_photograph else codes.ESTIMATED_POINT
    return [
        MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking_identifier(prediction, f"x={x:+.0f} y={y:+.0f}"),
            finding_type=finding,
            finding_sites=[finding_site(eye)],
            measurements=[
                Measurement(codes.POINT_X, float(x), codes.DEGREE),
                Measurement(codes.POINT_Y, float(y), codes.DEGREE),
                *_values(estimate, deviations, index),
            ],
        )
        for index, (x, y) in enumerate(
            zip(pattern.x_as_patient_sees(eye), pattern.Y_DEGREE, strict=True)
        )
    ]


def _values(estimate: FieldEstimate, deviations: FieldDeviations, index: int) -> list[Measurement]:
    total, of_pattern = deviations.total_deviation_db, deviations.pattern_deviation_db
    return [
        _sensitivity(estimate, index),
        _estimated(codes.POINT_TOTAL_DEVIATION, float(total[index])),
        _estimated(codes.POINT_PATTERN_DEVIATION, float(of_pattern[index])),
    ]


def global_group(
    prediction: Prediction,
    source: Dataset | None,
    equipment: Equipment,
    withheld: Review | None = None,
) -> MeasurementsAndQualitativeEvaluations:
    """Return the group of the field as a whole, or the one that says why there is none.

    Parameters
    ----------
    source
        Header of the image the prediction was made from; None where it cannot be referred to.
    withheld
        The decision that nobody must take its numbers: told in their place.
    """
    algorithm = algorithm_identification(prediction, equipment)
    images = [SourceImageForMeasurementGroup.from_source_image(source)] if source else None
    if outcome_of(prediction) is not Outcome.ESTIMATED or prediction.deviations is None:
        return _without_field(prediction, algorithm, images, withheld)
    return _global(prediction, prediction.deviations, algorithm, images, withheld)


def _global(
    prediction: Prediction,
    deviations: FieldDeviations,
    algorithm: AlgorithmIdentification,
    images: Sequence[SourceImageForMeasurementGroup] | None,
    withheld: Review | None,
) -> MeasurementsAndQualitativeEvaluations:
    indices = [
        _estimated(codes.MEAN_DEVIATION, deviations.mean_deviation_db),
        _estimated(codes.MEAN_SENSITIVITY, deviations.mean_sensitivity_db),
    ]
    of_photograph = prediction.is_of_photograph
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking_identifier(prediction, "global"),
        finding_type=codes.FUNDUS_FIELD if of_photograph else codes.ESTIMATED_FIELD,
        method=codes.ESTIMATION_FROM_PHOTOGRAPH if of_photograph else codes.ESTIMATION_FROM_OCT,
        algorithm_id=algorithm,
        finding_sites=[finding_site(prediction.laterality)],
        measurements=indices if withheld is None else None,
        qualitative_evaluations=[
            QualitativeEvaluation(codes.TEST_PATTERN, codes.PATTERN_24_2),
            *decision_evaluations(withheld),
        ],
        source_images=images,
    )


def _without_field(
    prediction: Prediction,
    algorithm: AlgorithmIdentification,
    images: Sequence[SourceImageForMeasurementGroup] | None,
    withheld: Review | None,
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking_identifier(prediction, "global"),
        finding_type=codes.finding_of(
            outcome_of(prediction), is_of_photograph=prediction.is_of_photograph
        ),
        algorithm_id=algorithm,
        finding_sites=[finding_site(prediction.laterality)],
        qualitative_evaluations=[*reason_evaluations(prediction), *decision_evaluations(withheld)],
        source_images=images,
    )


def finding_site(laterality: Laterality | None) -> FindingSite:
    """Return the eye as a finding site, without a side where the side is unknown."""
    return FindingSite(
        anatomic_location=codes.WHOLE_EYE,
        laterality=codes.LATERALITY[laterality] if laterality else None,
    )


def _sensitivity(estimate: FieldEstimate, index: int) -> Measurement:
    value = float(estimate.sensitivities_db[index])
    # TID 310: half widths around the value, not bounds; the coverage is an algorithm parameter.
    interval = MeasurementProperties(
        upper_measurement_uncertainty=_rounded(float(estimate.upper_db[index]) - value),
        lower_measurement_uncertainty=_rounded(value - float(estimate.lower_db[index])),
    )
    return _estimated(codes.POINT_SENSITIVITY, value, interval)


def _estimated(
    name: CodedConcept, value_db: float, properties: MeasurementProperties | None = None
) -> Measurement:
    return Measurement(
        name,
        _rounded(value_db),
        codes.DECIBEL,
        derivation=codes.ESTIMATED,
        properties=properties,
    )


def _rounded(value_db: float) -> float:
    """Return the value to 0.01 dB: finer than any meaning it has, and no -0.0."""
    return round(value_db, 2) + 0.0
