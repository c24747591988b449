"""The SOP classes we take in, scored or not: a device's send must not fail for what lies beside.

What is accepted without scoring avoids failed sends: devices send PDF, photograph and raw data
together with the tomography. UIDs: PS3.6 table A-1, Storage classes of PS3.4 B.5.
"""

from typing import Final

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."

OPHTHALMIC_TOMOGRAPHY: Final = _STORAGE + "77.1.5.4"
RAW_DATA: Final = _STORAGE + "66"

ACCEPTED_SOP_CLASSES: Final[tuple[str, ...]] = (
    _STORAGE + "77.1.5.1",  # Ophthalmic Photography 8 Bit
    _STORAGE + "77.1.5.2",  # Ophthalmic Photography 16 Bit
    OPHTHALMIC_TOMOGRAPHY,
    _STORAGE + "77.1.5.5",  # Wide Field Ophthalmic Photography Stereographic Projection
    _STORAGE + "77.1.5.6",  # Wide Field Ophthalmic Photography 3D Coordinates
    _STORAGE + "77.1.5.7",  # Ophthalmic OCT En Face Image
    _STORAGE + "77.1.5.8",  # Ophthalmic OCT B-scan Volume Analysis
    _STORAGE + "77.1.4",  # VL Photographic
    _STORAGE + "78.1",  # Lensometry Measurements
    _STORAGE + "78.2",  # Autorefraction Measurements
    _STORAGE + "78.3",  # Keratometry Measurements
    _STORAGE + "78.4",  # Subjective Refraction Measurements
    _STORAGE + "78.5",  # Visual Acuity Measurements
    _STORAGE + "78.6",  # Spectacle Prescription Report
    _STORAGE + "78.7",  # Ophthalmic Axial Measurements
    _STORAGE + "78.8",  # Intraocular Lens Calculations
    _STORAGE + "79.1",  # Macular Grid Thickness and Volume Report
    _STORAGE + "80.1",  # Ophthalmic Visual Field Static Perimetry Measurements
    _STORAGE + "81.1",  # Ophthalmic Thickness Map
    _STORAGE + "82.1",  # Corneal Topography Map
    RAW_DATA,
    _STORAGE + "66.4",  # Segmentation
    _STORAGE + "66.8",  # Height Map Segmentation
    _STORAGE + "30",  # Parametric Map
    _STORAGE + "7",  # Secondary Capture
    _STORAGE + "7.1",  # Multi-frame Single Bit Secondary Capture
    _STORAGE + "7.2",  # Multi-frame Grayscale Byte Secondary Capture
    _STORAGE + "7.3",  # Multi-frame Grayscale Word Secondary Capture
    _STORAGE + "7.4",  # Multi-frame True Color Secondary Capture
    _STORAGE + "88.11",  # Basic Text SR
    _STORAGE + "88.22",  # Enhanced SR
    _STORAGE + "88.33",  # Comprehensive SR
    _STORAGE + "88.34",  # Comprehensive 3D SR
    _STORAGE + "88.59",  # Key Object Selection Document
    _STORAGE + "104.1",  # Encapsulated PDF
)
