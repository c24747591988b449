"""The list of samples: who, which eye, what was lost, how it is written, what must come of it."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final

from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.reason import ReasonCode
from inference.simulation.circle_course import CircleCourse
from sample_dicom.expected import Expected, HalfField
from sample_dicom.eye import Recording
from sample_dicom.oct_scan import CIRCLE_PATTERN
from sample_dicom.profiles import Wedge
from sample_dicom.study import Patient, Study


class Flaw(StrEnum):
    """What is wrong with a bad sample."""

    NONE = "none"
    #: Image Laterality and Frame Laterality name different eyes.
    LATERALITY_CONFLICT = "laterality_conflict"
    #: A straight scan through the macula instead of a circle round the disc.
    MACULAR_LINE = "macular_line"
    #: The object describes a picture and has none.
    NO_PIXELS = "no_pixels"


@dataclass(frozen=True)
class SampleEye:
    """One eye of a sample study."""

    laterality: Laterality
    finding: str
    expected: Expected
    wedges: tuple[Wedge, ...] = ()
    recording: Recording = field(default_factory=Recording)
    flaw: Flaw = Flaw.NONE


@dataclass(frozen=True)
class SampleCase:
    """One sample study; `folder` is its name on disk and the seed of everything random in it."""

    folder: str
    study: Study
    purpose: str
    eyes: tuple[SampleEye, ...]


RIGHT: Final = Laterality.RIGHT
LEFT: Final = Laterality.LEFT

HEALTHY: Final = Expected(mean_deviation_above_db=-3.0)
REFUSED: Final = PredictionStatus.NOT_ASSESSABLE


def sample_study(number: int, name: str, born: date, sex: str) -> Study:
    """Return the examination of the invented patient of that number."""
    patient = Patient(f"SAMPLE-{number:04d}", name, born, sex)
    # Devices write local time without a zone.
    acquired_at = datetime.combine(date(2024, 5, number), time(9, 10 + number))
    return Study(f"sample {number}", patient, f"SAMPLE-ACC-{number:04d}", acquired_at)


HEALTHY_PAIR: Final = SampleCase(
    folder="healthy",
    study=sample_study(1, "Sample^Healthy", date(1966, 2, 14), "F"),
    purpose="Both eyes without loss.",
    eyes=(
        SampleEye(RIGHT, "no RNFL loss -> no field loss", HEALTHY),
        SampleEye(LEFT, "no RNFL loss -> no field loss", HEALTHY),
    ),
)

ARCUATE: Final = SampleCase(
    folder="arcuate",
    study=sample_study(2, "Sample^Arcuate", date(1957, 9, 3), "M"),
    purpose="A right eye with one lost arcuate bundle.",
    eyes=(
        SampleEye(
            RIGHT,
            "inferior arcuate RNFL loss -> superior arcuate field loss",
            Expected(mean_deviation_below_db=-1.5, worse_half_field=HalfField.SUPERIOR),
            wedges=(Wedge(285, 60, 0.96),),
        ),
    ),
)

NASAL_STEP: Final = SampleCase(
    folder="nasal_step",
    study=sample_study(3, "Sample^Nasalstep", date(1961, 11, 21), "F"),
    purpose="A left eye with a narrow loss: its field must come back mirrored, not swapped.",
    eyes=(
        SampleEye(
            LEFT,
            "narrow superotemporal RNFL loss -> inferior nasal step",
            Expected(worse_half_field=HalfField.INFERIOR),
            wedges=(Wedge(64, 26, 0.95),),
        ),
    ),
)

ADVANCED: Final = SampleCase(
    folder="advanced",
    study=sample_study(4, "Sample^Advanced", date(1949, 6, 30), "M"),
    purpose="Both eyes with advanced loss.",
    eyes=(
        SampleEye(
            RIGHT,
            "both poles and most of the rest lost -> loss in both half-fields",
            Expected(mean_deviation_below_db=-6.0),
            wedges=(Wedge(180, 420, 0.65), Wedge(285, 80, 0.9), Wedge(75, 70, 0.85)),
        ),
        SampleEye(
            LEFT,
            "inferior pole lost, the rest thinned -> superior field worse than inferior",
            Expected(mean_deviation_below_db=-6.0, worse_half_field=HalfField.SUPERIOR),
            wedges=(Wedge(180, 420, 0.65), Wedge(283, 90, 0.95), Wedge(75, 60, 0.5)),
        ),
    ),
)

COMPRESSED: Final = SampleCase(
    folder="compressed",
    study=sample_study(5, "Sample^Compressed", date(1964, 4, 9), "F"),
    purpose=(
        "JPEG-LS and JPEG 2000 pixels with Scan Pattern Type; the left scan starts nasal and runs "
        "inferior, which only its coordinates tell."
    ),
    eyes=(
        SampleEye(
            RIGHT,
            "no RNFL loss -> no field loss",
            HEALTHY,
            recording=Recording(transfer_syntax_uid=JPEGLSLossless, pattern=CIRCLE_PATTERN),
        ),
        SampleEye(
            LEFT,
            "superior arcuate RNFL loss -> inferior arcuate field loss",
            Expected(mean_deviation_below_db=-1.5, worse_half_field=HalfField.INFERIOR),
            wedges=(Wedge(68, 60, 0.96),),
            recording=Recording(
                course=CircleCourse(start_degree=180.0, clockwise=False),
                transfer_syntax_uid=JPEG2000Lossless,
                pattern=CIRCLE_PATTERN,
            ),
        ),
    ),
)

SIXTEEN_BIT: Final = SampleCase(
    folder="sixteen_bit",
    study=sample_study(6, "Sample^Sixteenbit", date(1970, 1, 5), "O"),
    purpose="16-bit pixels, RLE.",
    eyes=(
        SampleEye(
            RIGHT,
            "no RNFL loss -> no field loss",
            HEALTHY,
            recording=Recording(transfer_syntax_uid=RLELossless, bits=16),
        ),
    ),
)

LATERALITY_CONFLICT: Final = SampleCase(
    folder="laterality_conflict",
    study=sample_study(7, "Sample^Conflict", date(1955, 8, 17), "M"),
    purpose="Image Laterality R, Frame Laterality L: nobody may guess.",
    eyes=(
        SampleEye(
            RIGHT,
            "no RNFL loss, eye in doubt -> no field",
            Expected(REFUSED, ReasonCode.LATERALITY_CONFLICT),
            flaw=Flaw.LATERALITY_CONFLICT,
        ),
    ),
)

MACULAR_LINE: Final = SampleCase(
    folder="macular_line",
    study=sample_study(8, "Sample^Macula", date(1968, 12, 2), "F"),
    purpose="A good scan of the wrong place.",
    eyes=(
        SampleEye(
            RIGHT,
            "straight scan through the macula -> no field",
            Expected(REFUSED, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
            flaw=Flaw.MACULAR_LINE,
        ),
    ),
)

NO_PIXELS: Final = SampleCase(
    folder="no_pixels",
    study=sample_study(9, "Sample^Nopixels", date(1952, 10, 26), "M"),
    purpose="A B-scan whose pixels were lost on the way.",
    eyes=(
        SampleEye(
            LEFT,
            "no picture -> no field",
            Expected(REFUSED, ReasonCode.PIXELS_UNREADABLE),
            flaw=Flaw.NO_PIXELS,
        ),
    ),
)

CASES: Final = (
    HEALTHY_PAIR,
    ARCUATE,
    NASAL_STEP,
    ADVANCED,
    COMPRESSED,
    SIXTEEN_BIT,
    LATERALITY_CONFLICT,
    MACULAR_LINE,
    NO_PIXELS,
)
