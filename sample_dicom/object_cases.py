"""Samples beside circle scans: a volume, a thickness map and photographs of the fundus."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless

from core.values.laterality import Laterality
from inference.simulation.localizers import circle_on_localizer, simulate_localizer
from inference.simulation.vessels import draw_vessels
from inference.simulation.volume_grid import Grid
from inference.simulation.volumes import VolumeOptions
from sample_dicom.cases import sample_study
from sample_dicom.expected import Expected, HalfField
from sample_dicom.fundus_eye import photograph_pixels, width_degree
from sample_dicom.fundus_op import fundus_op
from sample_dicom.grid_eye import scan_thickness_map, scan_volume
from sample_dicom.localizer_op import localizer_op
from sample_dicom.lossy import compress_frames
from sample_dicom.oct_frames import oct_frames_image
from sample_dicom.profiles import Wedge, sample_profile_um
from sample_dicom.study import Study
from sample_dicom.thickness_opm import thickness_map_image

Maker = Callable[[Study, "SampleObject", np.random.Generator], Dataset]

#: Coarser than devices scan, so that the file stays small; the depth is 1.6 mm.
_GRID: Final = Grid(b_scans=80, rows=400, columns=160, axial_um=4.0)


@dataclass(frozen=True)
class SampleObject:
    """One file of a sample study.

    Attributes
    ----------
    file
        Its name.
    label
        What its SOP Instance UID is derived from, beside the eye.
    expected
        What must come of it; None for a localizer.
    model
        The model that must be active for it; empty for the one that always is.
    """

    file: str
    label: str
    laterality: Laterality
    finding: str
    expected: Expected | None
    make: Maker
    wedges: tuple[Wedge, ...] = ()
    transfer_syntax_uid: UID = ExplicitVRLittleEndian
    model: str = ""


@dataclass(frozen=True)
class ObjectCase:
    """One sample study; `folder` is its name on disk and the seed of everything random in it."""

    folder: str
    study: Study
    purpose: str
    objects: tuple[SampleObject, ...]


def _localizer(study: Study, sample: SampleObject, rng: np.random.Generator) -> Dataset:
    disc = circle_on_localizer(sample.laterality)
    pixels = simulate_localizer(draw_vessels(rng), sample.laterality, rng, disc)
    return localizer_op(study, sample.laterality, pixels, sample.transfer_syntax_uid)


def _volume(study: Study, sample: SampleObject, rng: np.random.Generator) -> Dataset:
    thickness_um = sample_profile_um(study.age_years, sample.wedges, rng)
    options = VolumeOptions(grid=_GRID)
    scan = scan_volume(study, sample.laterality, thickness_um, rng, options)
    dataset = oct_frames_image(study, scan)
    compress_frames(dataset, [frame.pixels for frame in scan.frames])
    return dataset


def _thickness_map(study: Study, sample: SampleObject, rng: np.random.Generator) -> Dataset:
    thickness_um = sample_profile_um(study.age_years, sample.wedges, rng)
    return thickness_map_image(
        study, scan_thickness_map(study, sample.laterality, thickness_um, rng)
    )


def _photograph(study: Study, sample: SampleObject, rng: np.random.Generator) -> Dataset:
    thickness_um = sample_profile_um(study.age_years, sample.wedges, rng)
    age_years = float(study.age_years or 0)
    pixels = photograph_pixels(sample.laterality, thickness_um, age_years, rng)
    return fundus_op(study, sample.laterality, pixels, width_degree(pixels))


def _own_localizer(laterality: Laterality, side: str) -> SampleObject:
    return SampleObject(
        f"{side}_localizer_op.dcm",
        "localizer",
        laterality,
        "localizer of the OCT scan",
        None,
        _localizer,
        transfer_syntax_uid=JPEGLSLossless,
    )


DISC_GRIDS: Final = ObjectCase(
    folder="disc_grids",
    study=sample_study(10, "Sample^Grids", date(1963, 7, 12), "F"),
    purpose="A volume over the disc of one eye, the thickness map of the other.",
    objects=(
        _own_localizer(Laterality.RIGHT, "right"),
        SampleObject(
            "right_volume.dcm",
            "oct",
            Laterality.RIGHT,
            "inferior arcuate RNFL loss in a volume -> superior arcuate field loss",
            Expected(mean_deviation_below_db=-1.5, worse_half_field=HalfField.SUPERIOR),
            _volume,
            wedges=(Wedge(285, 60, 0.96),),
            transfer_syntax_uid=JPEGBaseline8Bit,
        ),
        _own_localizer(Laterality.LEFT, "left"),
        SampleObject(
            "left_thickness_map.dcm",
            "thickness map",
            Laterality.LEFT,
            "superior arcuate RNFL loss in a map -> inferior arcuate field loss",
            Expected(mean_deviation_below_db=-1.5, worse_half_field=HalfField.INFERIOR),
            _thickness_map,
            wedges=(Wedge(68, 60, 0.96),),
        ),
    ),
)

FUNDUS: Final = ObjectCase(
    folder="fundus",
    study=sample_study(11, "Sample^Fundus", date(1960, 3, 8), "M"),
    purpose="Photographs: scored where a model for them is active, and weaker than OCT.",
    objects=(
        SampleObject(
            "right_fundus.dcm",
            "fundus",
            Laterality.RIGHT,
            "no RNFL loss in a photograph -> no field loss",
            Expected(mean_deviation_above_db=-5.0),
            _photograph,
            transfer_syntax_uid=JPEGBaseline8Bit,
            model="fundus_field",
        ),
        SampleObject(
            "left_fundus.dcm",
            "fundus",
            Laterality.LEFT,
            "inferior pole lost, the rest thinned, in a photograph -> superior field worse",
            Expected(mean_deviation_below_db=-3.0, worse_half_field=HalfField.SUPERIOR),
            _photograph,
            wedges=(Wedge(285, 110, 0.97), Wedge(180, 420, 0.35)),
            transfer_syntax_uid=JPEGBaseline8Bit,
            model="fundus_field",
        ),
    ),
)

OBJECT_CASES: Final = (DISC_GRIDS, FUNDUS)
