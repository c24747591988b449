from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from core.values.laterality import Laterality
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt, build_line_opt, build_localizer, encoded

TRANSFER_SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEGLSLossless,
    JPEG2000Lossless,
    RLELossless,
]


def through_a_file(dataset):
    return pydicom.dcmread(BytesIO(encoded(dataset)))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("transfer_syntax_uid", TRANSFER_SYNTAXES, ids=lambda uid: uid.name)
def test_oct_image_keeps_its_pixels_in_every_transfer_syntax(transfer_syntax_uid, bits):
    recording = Recording(bits=bits)
    plain = build_circle_opt(recording=recording)

    read = through_a_file(
        build_circle_opt(recording=recording, transfer_syntax_uid=transfer_syntax_uid)
    )

    assert read.file_meta.TransferSyntaxUID == transfer_syntax_uid
    assert bits == read.BitsAllocated
    np.testing.assert_array_equal(read.pixel_array, plain.pixel_array)


def test_oct_image_is_the_same_object_each_time():
    assert encoded(build_circle_opt()) == encoded(build_circle_opt())
    assert encoded(build_circle_opt(key="a")) != encoded(build_circle_opt(key="b"))


def test_oct_image_leaves_out_what_is_none():
    dataset = build_circle_opt(
        spacing_mm=None, coordinates=None, frame_laterality=None, pixels=None, age_years=None
    )

    shared = dataset.SharedFunctionalGroupsSequence[0]
    assert "PixelMeasuresSequence" not in shared
    assert "FrameLaterality" not in shared.FrameAnatomySequence[0]
    assert "OphthalmicFrameLocationSequence" not in dataset.PerFrameFunctionalGroupsSequence[0]
    assert "PixelData" not in dataset
    assert "PatientAge" not in dataset
    assert dataset.PatientBirthDate == ""


def test_truncated_oct_image_has_half_its_pixels():
    read = through_a_file(build_circle_opt(truncated=True))

    assert len(read.PixelData) == read.Rows * read.Columns // 2


def test_dicom_keyword_replaces_or_leaves_out_an_attribute():
    dataset = build_circle_opt(BurnedInAnnotation="YES", ImageLaterality=None)

    assert dataset.BurnedInAnnotation == "YES"
    assert "ImageLaterality" not in dataset


@pytest.mark.parametrize("laterality", list(Laterality))
def test_circle_and_localizer_of_one_key_belong_together(laterality):
    scan = build_circle_opt(laterality=laterality, key="pair")
    localizer = build_localizer(laterality=laterality, key="pair")

    location = scan.PerFrameFunctionalGroupsSequence[0].OphthalmicFrameLocationSequence[0]
    assert location.ReferencedSOPInstanceUID == localizer.SOPInstanceUID
    assert scan.StudyInstanceUID == localizer.StudyInstanceUID
    assert scan.SeriesInstanceUID != localizer.SeriesInstanceUID
    assert localizer.ImageLaterality == laterality.value


def test_line_image_has_the_two_ends_of_its_line():
    location = (
        build_line_opt().PerFrameFunctionalGroupsSequence[0].OphthalmicFrameLocationSequence[0]
    )

    assert location.OphthalmicImageOrientation == "LINEAR"
    assert len(location.ReferenceCoordinates) == 4


@pytest.mark.parametrize(("age_years", "text"), [(60.0, "060Y"), (8.5, "008Y"), (101.0, "101Y")])
def test_patient_age_is_written_in_whole_years(age_years, text):
    assert build_circle_opt(age_years=age_years).PatientAge == text
