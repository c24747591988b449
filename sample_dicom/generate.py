"""Make the sample studies: `python -m sample_dicom.generate [--out DIR] [--case NAME]`."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
from pydicom.dataset import Dataset

from core.values.laterality import Laterality
from sample_dicom.cases import CASES, Flaw, SampleCase, SampleEye
from sample_dicom.eye import ScannedEye, scan_circle, scan_macular_line
from sample_dicom.localizer_op import localizer_op
from sample_dicom.manifest import localizer_name, manifest_text, oct_name
from sample_dicom.object_cases import OBJECT_CASES, ObjectCase, SampleObject
from sample_dicom.oct_scan import oct_image
from sample_dicom.picture import write
from sample_dicom.profiles import sample_profile_um
from sample_dicom.study import Study


@dataclass(frozen=True)
class SampleFile:
    """One object of the samples; `path` is relative to the output folder."""

    path: Path
    dataset: Dataset


def case_files(case: SampleCase) -> Iterator[SampleFile]:
    """Yield the objects of one study, the same ones each time."""
    for eye in case.eyes:
        rng = seeded(case, eye)
        scanned = scan_eye(case.study, eye, rng)
        pixels = scanned.localizer_pixels(rng)
        syntax = eye.recording.transfer_syntax_uid
        localizer = localizer_op(case.study, eye.laterality, pixels, syntax)
        yield SampleFile(Path(case.folder, localizer_name(eye)), localizer)
        yield SampleFile(Path(case.folder, oct_name(eye)), oct_image(case.study, scanned.scan))


def object_files(case: ObjectCase) -> Iterator[SampleFile]:
    """Yield the objects of one study that is no circle scan, the same ones each time."""
    for sample in case.objects:
        dataset = sample.make(case.study, sample, seeded(case, sample))
        yield SampleFile(Path(case.folder, sample.file), dataset)


def seeded(case: SampleCase | ObjectCase, eye: SampleEye | SampleObject) -> np.random.Generator:
    """Return the source of chance of one eye: always the same one."""
    return np.random.default_rng([crc32(case.folder.encode()), ord(eye.laterality.value)])


def scan_eye(study: Study, eye: SampleEye, rng: np.random.Generator) -> ScannedEye:
    """Return the simulated scan of one eye, with its flaw."""
    if eye.flaw is Flaw.MACULAR_LINE:
        return scan_macular_line(study, eye.laterality, rng, eye.recording)
    thickness_um = sample_profile_um(study.age_years, eye.wedges, rng)
    scanned = scan_circle(study, eye.laterality, thickness_um, rng, eye.recording)
    return _with_flaw(scanned, eye.flaw)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write every sample and its manifest, or the files of the named cases only."""
    parser = argparse.ArgumentParser(prog="python -m sample_dicom.generate", description=__doc__)
    here = Path(__file__).parent
    parser.add_argument("--out", type=Path, default=here, help="folder to write into")
    names = [case.folder for case in (*CASES, *OBJECT_CASES)]
    parser.add_argument("--case", action="append", choices=names, help="only this study")
    chosen = parser.parse_args(arguments)
    wanted = chosen.case or names
    files = [
        *(file for case in CASES if case.folder in wanted for file in case_files(case)),
        *(file for case in OBJECT_CASES if case.folder in wanted for file in object_files(case)),
    ]
    for file in files:
        write(file.dataset, chosen.out / file.path)
    text = manifest_text(CASES, OBJECT_CASES)
    (chosen.out / "manifest.json").write_text(text, encoding="utf-8")


def _with_flaw(scanned: ScannedEye, flaw: Flaw) -> ScannedEye:
    if flaw is Flaw.LATERALITY_CONFLICT:
        return replace(scanned, scan=replace(scanned.scan, frame_laterality=_other(scanned)))
    if flaw is Flaw.NO_PIXELS:
        return replace(scanned, scan=replace(scanned.scan, pixels=None))
    return scanned


def _other(scanned: ScannedEye) -> str:
    is_right = scanned.scan.laterality is Laterality.RIGHT
    return (Laterality.LEFT if is_right else Laterality.RIGHT).value


if __name__ == "__main__":
    main()
