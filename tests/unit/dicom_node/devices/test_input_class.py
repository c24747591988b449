import pytest
from pydicom.uid import (
    EncapsulatedPDFStorage,
    OphthalmicPhotography8BitImageStorage,
    OphthalmicPhotography16BitImageStorage,
    OphthalmicTomographyImageStorage,
    OphthalmicVisualFieldStaticPerimetryMeasurementsStorage,
    RawDataStorage,
    SecondaryCaptureImageStorage,
    VLPhotographicImageStorage,
    WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
)

from dicom_node.devices.input_class import is_model_input, is_oct_scan, is_photograph


def test_input_class_takes_ophthalmic_tomography() -> None:
    assert is_model_input(OphthalmicTomographyImageStorage)
    assert is_oct_scan(OphthalmicTomographyImageStorage)
    assert not is_photograph(OphthalmicTomographyImageStorage)


@pytest.mark.parametrize(
    "sop_class_uid",
    [
        OphthalmicPhotography8BitImageStorage,
        OphthalmicPhotography16BitImageStorage,
        WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
        VLPhotographicImageStorage,
    ],
)
def test_input_class_takes_photographs(sop_class_uid: str) -> None:
    assert is_model_input(sop_class_uid)
    assert is_photograph(sop_class_uid)
    assert not is_oct_scan(sop_class_uid)


@pytest.mark.parametrize(
    "sop_class_uid",
    [
        "",
        EncapsulatedPDFStorage,
        OphthalmicVisualFieldStaticPerimetryMeasurementsStorage,
        RawDataStorage,
        SecondaryCaptureImageStorage,
    ],
)
def test_input_class_takes_nothing_else(sop_class_uid: str) -> None:
    assert not is_model_input(sop_class_uid, "OPT")


@pytest.mark.parametrize(
    ("modality", "manufacturer", "meant"),
    [
        ("OPT", "Carl Zeiss Meditec", True),
        ("OPT", "Carl Zeiss Meditec AG", True),
        ("OPV", "Carl Zeiss Meditec", False),
        ("OPT", "Another", False),
    ],
)
def test_input_class_of_raw_data_depends_on_modality_and_maker(
    modality: str, manufacturer: str, meant: bool
) -> None:
    assert is_model_input(RawDataStorage, modality, manufacturer) == meant
