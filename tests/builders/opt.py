"""Ophthalmic Tomography objects for tests: a whole one with one call, a broken one by keyword.

    build_circle_opt()                                    a right eye, circle scan, 60 years old
    build_circle_opt(laterality=Laterality.LEFT, thickness_um=profile)
    build_circle_opt(spacing_mm=None)                     any field of sample_dicom.oct_scan.OctScan
    build_circle_opt(frame_laterality="L")                eyes in conflict
    build_circle_opt(pixels=None)                         no pixels
    build_circle_opt(truncated=True)                      half of the pixels
    build_circle_opt(transfer_syntax_uid=JPEGLSLossless)
    build_circle_opt(recording=Recording(bits=16))        course, light, bits: see Recording
    build_circle_opt(age_years=None)                      no birth date, no age
    build_circle_opt(BurnedInAnnotation="YES")            any DICOM keyword; None leaves it out

`build_localizer` gives the picture a circle of the same `key` and eye refers to, `build_line_opt` a
straight scan. Objects of one `key` are one study; the same call gives the same object.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from io import BytesIO
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from sample_dicom.eye import Recording, ScannedEye, scan_circle, scan_macular_line
from sample_dicom.localizer_op import localizer_op
from sample_dicom.oct_scan import oct_image
from sample_dicom.study import Patient, Study

#: Local time without a zone, as devices write it.
SCANNED_AT: Final = datetime.combine(date(2024, 3, 20), time(10, 30))
DAYS_PER_YEAR: Final = 365.25


def build_circle_opt(
    *,
    laterality: Laterality = Laterality.RIGHT,
    thickness_um: NDArray[np.floating] | None = None,
    age_years: float | None = 60.0,
    recording: Recording | None = None,
    key: str = "test",
    seed: int = 1,
    truncated: bool = False,
    **overrides: Any,
) -> Dataset:
    """Return a circle scan; overrides are fields of OctScan or DICOM keywords."""
    study = build_study(key, age_years)
    if thickness_um is None:
        eye = _healthy_eye(study, laterality, recording or Recording(), seed)
    else:
        rng = np.random.default_rng(seed)
        eye = scan_circle(study, laterality, thickness_um, rng, recording)
    return _written(study, eye, truncated, overrides)


def build_line_opt(
    *,
    laterality: Laterality = Laterality.RIGHT,
    age_years: float | None = 60.0,
    recording: Recording | None = None,
    key: str = "test",
    seed: int = 1,
    **overrides: Any,
) -> Dataset:
    """Return a straight scan through the macula."""
    study = build_study(key, age_years)
    eye = scan_macular_line(study, laterality, np.random.default_rng(seed), recording)
    return _written(study, eye, False, overrides)


def build_localizer(
    *,
    laterality: Laterality = Laterality.RIGHT,
    age_years: float | None = 60.0,
    transfer_syntax_uid: UID = ExplicitVRLittleEndian,
    key: str = "test",
    seed: int = 1,
    **keywords: Any,
) -> Dataset:
    """Return the localizer of the circle scan of the same key, eye and seed."""
    study = build_study(key, age_years)
    pixels = _localizer_pixels(laterality, seed)
    return _with_keywords(localizer_op(study, laterality, pixels, transfer_syntax_uid), keywords)


def build_study(key: str = "test", age_years: float | None = 60.0) -> Study:
    """Return the examination that objects of one key belong to."""
    born = None
    if age_years is not None:
        born = SCANNED_AT.date() - timedelta(days=ceil(age_years * DAYS_PER_YEAR))
    patient = Patient("TEST-0001", "Test^Eye", born, "F")
    return Study(key, patient, "TEST-ACC-1", SCANNED_AT)


def encoded(dataset: Dataset) -> bytes:
    """Return the object as the bytes of a DICOM file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _written(study: Study, eye: ScannedEye, truncated: bool, overrides: dict[str, Any]) -> Dataset:
    fields = {name: value for name, value in overrides.items() if name[0].islower()}
    keywords = {name: value for name, value in overrides.items() if name[0].isupper()}
    dataset = oct_image(study, replace(eye.scan, **fields))
    if truncated:
        dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 4 * 2]
    return _with_keywords(dataset, keywords)


def _with_keywords(dataset: Dataset, keywords: dict[str, Any]) -> Dataset:
    for keyword, value in keywords.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


@lru_cache(maxsize=32)
def _healthy_eye(
    study: Study, laterality: Laterality, recording: Recording, seed: int
) -> ScannedEye:
    rng = np.random.default_rng(seed)
    return scan_circle(study, laterality, normal_profile_um(60.0), rng, recording)


@lru_cache(maxsize=8)
def _localizer_pixels(laterality: Laterality, seed: int) -> NDArray[np.uint8]:
    eye = _healthy_eye(build_study(), laterality, Recording(), seed)
    return eye.localizer_pixels(np.random.default_rng(seed))
