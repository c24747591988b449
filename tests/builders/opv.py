"""Measured fields as perimeters' archives send them: static perimetry objects of the standard.

build_opv()                                          a right eye, 24-2, SITA Standard
build_opv(Laterality.LEFT, sensitivities_db=field)   52 values in right-eye order
build_opv(pattern="30-2")                            more places, or fewer
build_opv(points={(3.0, 3.0): None})                 another value at a place as the patient
                                                     sees it; None was not seen
build_opv(MeasurementLaterality="L")                 any DICOM keyword; None leaves it out
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    ExplicitVRLittleEndian,
    OphthalmicVisualFieldStaticPerimetryMeasurementsStorage,
)

from core.values.laterality import Laterality
from sample_dicom.study import uid
from tests.builders.prediction import POINTS_DEGREE

Place = tuple[float, float]

TESTED_AT: Final = datetime(2011, 2, 3, 9, 15)  # noqa: DTZ001 - local time, as devices write it
_PATTERNS: Final = {
    "24-2": codes.cid4250.VisualField24To2TestPattern,
    "30-2": codes.cid4250.VisualField30To2TestPattern,
    "10-2": codes.cid4250.VisualField10To2TestPattern,
    "24-2C": Code("OPVTP128", "99CZM", "24-2C"),
}
_ROWS_30_2: Final = {27: 9, 21: 15, 15: 21, 9: 27, 3: 27}
_ROWS_10_2: Final = {9: 1, 7: 5, 5: 7, 3: 7, 1: 9}


def build_field_db(depth_db: float = 0.0) -> NDArray[np.float32]:
    """Return 52 different values in right-eye order, dB; deeper below the horizontal line."""
    x, y = np.array(POINTS_DEGREE, dtype=float).T
    field = 31 - 0.2 * np.hypot(x, y) - 0.01 * x - depth_db * (y < 0)
    return np.clip(field, 0, 40).round(2).astype(np.float32)


def build_opv(
    laterality: Laterality = Laterality.RIGHT,
    *,
    sensitivities_db: NDArray[np.floating] | None = None,
    pattern: str = "24-2",
    points: Mapping[Place, float | None] | None = None,
    tested_at: datetime = TESTED_AT,
    key: str = "opv",
    **keywords: Any,
) -> Dataset:
    """Return a test of one eye; `key` names its study and its patient's visit."""
    values = _places(pattern, laterality, sensitivities_db)
    values.update(points or {})
    dataset = _identity(key, laterality, tested_at)
    _describe_test(dataset, laterality, pattern, len(values))
    dataset.VisualFieldTestPointSequence = [_point(at, value) for at, value in values.items()]
    for keyword, value in keywords.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def _places(
    pattern: str, laterality: Laterality, sensitivities_db: NDArray[np.floating] | None
) -> dict[Place, float | None]:
    sign = 1 if laterality is Laterality.RIGHT else -1
    if pattern == "30-2":
        return _symmetric(_ROWS_30_2, 6)
    if pattern == "10-2":
        return _symmetric(_ROWS_10_2, 2)
    field = build_field_db() if sensitivities_db is None else sensitivities_db
    values: dict[Place, float | None] = {
        (float(sign * x), float(y)): float(value)
        for (x, y), value in zip(POINTS_DEGREE, field, strict=True)
    }
    # The perimeter tests the blind spot, too.
    values.update({(sign * 15.0, 3.0): None, (sign * 15.0, -3.0): 2.0})
    if pattern == "24-2C":
        values.update({(float(x), 1.0): 30.0 for x in (-7, -5, -1, 1, 5)})
    return values


def _symmetric(rows: Mapping[int, int], step: int) -> dict[Place, float | None]:
    return {
        (float(x), float(sign * y)): 30.0 - 0.3 * abs(x) - 0.01 * x
        for y, end in rows.items()
        for sign in (1, -1)
        for x in range(-end, end + 1, step)
    }


def _identity(key: str, laterality: Laterality, tested_at: datetime) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = OphthalmicVisualFieldStaticPerimetryMeasurementsStorage
    dataset.SOPInstanceUID = uid(f"{key}/{laterality}/instance")
    dataset.SeriesInstanceUID = uid(f"{key}/{laterality}/series")
    dataset.StudyInstanceUID = uid(f"{key}/study")
    dataset.PatientID = "P-0001"
    dataset.IssuerOfPatientID = "Clinic"
    dataset.PatientName = "Sample^Eye"
    dataset.PatientBirthDate = "19580301"
    dataset.PatientSex = "F"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = "1"
    dataset.Modality = "OPV"
    dataset.SeriesDescription = "SFA"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.Manufacturer = "Carl Zeiss Meditec"
    dataset.ManufacturerModelName = "FORUM Glaucoma Workplace"
    dataset.DeviceSerialNumber = "SN-7"
    dataset.SoftwareVersions = "1"
    for name in ("Study", "Series", "Content", "PerformedProcedureStepStart"):
        setattr(dataset, f"{name}Date", tested_at.strftime("%Y%m%d"))
        setattr(dataset, f"{name}Time", tested_at.strftime("%H%M%S"))
    dataset.PerformedProcedureStepID = "1"
    return dataset


def _describe_test(dataset: Dataset, laterality: Laterality, pattern: str, count: int) -> None:
    dataset.PerformedProtocolCodeSequence = [
        _coded(_PATTERNS[pattern]),
        _coded(codes.cid4251.VisualFieldSITAStandardTestStrategy),
    ]
    dataset.VisualFieldHorizontalExtent = 54.0
    dataset.VisualFieldVerticalExtent = 42.0
    dataset.VisualFieldShape = "RECTANGLE"
    dataset.MaximumStimulusLuminance = 3183.1
    dataset.BackgroundLuminance = 10.03
    dataset.StimulusColorCodeSequence = [_coded(Code("G-A12F", "SRT", "White"))]
    dataset.BackgroundIlluminationColorCodeSequence = [_coded(Code("G-A12F", "SRT", "White"))]
    dataset.StimulusArea = 4.0
    dataset.StimulusPresentationTime = 200.0
    dataset.MeasurementLaterality = laterality
    dataset.PresentedVisualStimuliDataFlag = "YES"
    dataset.NumberOfVisualStimuli = count
    dataset.TestPointNormalsDataFlag = "YES"
    dataset.VisualFieldTestNormalsFlag = "YES"
    dataset.ShortTermFluctuationCalculated = "NO"
    dataset.ShortTermFluctuationProbabilityCalculated = "NO"
    dataset.CorrectedLocalizedDeviationFromNormalCalculated = "NO"
    dataset.CorrectedLocalizedDeviationFromNormalProbabilityCalculated = "NO"
    dataset.VisualFieldTestDuration = 312.0
    dataset.FovealSensitivityMeasured = "YES"
    dataset.FovealSensitivity = 36.0
    dataset.FovealPointNormativeDataFlag = "NO"
    dataset.ScreeningBaselineMeasured = "NO"
    dataset.MinimumSensitivityValue = 0.0
    dataset.BlindSpotLocalized = "NO"
    dataset.FixationSequence = [_fixation()]
    dataset.VisualFieldCatchTrialSequence = [_catch_trials()]
    dataset.ResultsNormalsSequence = [_normals()]
    dataset.VisualFieldGlobalResultsIndexSequence = [_vfi(), _hemifield_test()]


def _fixation() -> Dataset:
    item = Dataset()
    item.FixationMonitoringCodeSequence = [_coded(Code("111843", "DCM", "Blind Spot Monitoring"))]
    item.FixationCheckedQuantity = 16
    item.PatientNotProperlyFixatedQuantity = 2
    item.ExcessiveFixationLossesDataFlag = "YES"
    item.ExcessiveFixationLosses = "NO"
    return item


def _catch_trials() -> Dataset:
    item = Dataset()
    item.CatchTrialsDataFlag = "NO"
    item.FalseNegativesEstimateFlag = "YES"
    item.FalseNegativesEstimate = -100.0
    item.FalsePositivesEstimateFlag = "YES"
    item.FalsePositivesEstimate = 4.0
    item.ExcessiveFalseNegativesDataFlag = "NO"
    item.ExcessiveFalsePositivesDataFlag = "NO"
    return item


def _normals() -> Dataset:
    item = Dataset()
    item.DataSetName = "STATPAC"
    item.DataSetVersion = "1"
    item.DataSetSource = "Maker"
    item.GlobalDeviationFromNormal = -4.25
    item.LocalizedDeviationFromNormal = 3.5
    item.GlobalDeviationProbabilityNormalsFlag = "NO"
    item.LocalDeviationProbabilityNormalsFlag = "NO"
    return item


def _vfi() -> Dataset:
    observation = Dataset()
    observation.ValueType = "NUMERIC"
    observation.ConceptNameCodeSequence = [_coded(Code("111852", "DCM", "Visual Field Index"))]
    observation.NumericValue = 88.0
    observation.MeasurementUnitsCodeSequence = [_coded(Code("%", "UCUM", "percent"))]
    return _index(observation)


def _hemifield_test() -> Dataset:
    observation = Dataset()
    observation.ValueType = "CODE"
    name = Code("111855", "DCM", "Glaucoma Hemifield Test Analysis")
    observation.ConceptNameCodeSequence = [_coded(name)]
    observation.ConceptCodeSequence = [_coded(codes.cid4254.OutsideNormalLimits)]
    return _index(observation)


def _index(observation: Dataset) -> Dataset:
    item = Dataset()
    item.DataObservationSequence = [observation]
    item.IndexNormalsFlag = "NO"
    return item


def _point(at: Place, value: float | None) -> Dataset:
    item = Dataset()
    item.VisualFieldTestPointXCoordinate, item.VisualFieldTestPointYCoordinate = at
    item.StimulusResults = "SEEN" if value is not None and value >= 0 else "NOT SEEN"
    if value is not None:
        item.SensitivityValue = value
    item.RetestStimulusSeen = "NO"
    normals = Dataset()
    normals.AgeCorrectedSensitivityDeviationValue = -2.5
    normals.AgeCorrectedSensitivityDeviationProbabilityValue = 5.0
    normals.GeneralizedDefectCorrectedSensitivityDeviationFlag = "YES"
    normals.GeneralizedDefectCorrectedSensitivityDeviationValue = -1.5
    normals.GeneralizedDefectCorrectedSensitivityDeviationProbabilityValue = 0.0
    item.VisualFieldTestPointNormalsSequence = [normals]
    return item


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = (
        code.value,
        code.scheme_designator,
        code.meaning,
    )
    return item
