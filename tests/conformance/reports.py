"""The reports that the validators judge, and what they may say of them."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

from pydicom import dcmread

from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.report_context import NO_CONTEXT, ReportContext
from core.values.scan import ScanKind
from reports.equipment import Equipment
from reports.report import ReportFormat
from tests.builders.prediction import Loss, build_fundus_picture, build_prediction

#: Everything a report may be made from: both eyes, with and without an estimate.
CASES: Final[dict[str, dict[str, Any]]] = {
    "right eye": {"laterality": Laterality.RIGHT},
    "left eye": {"laterality": Laterality.LEFT, "loss": Loss.ARCUATE},
    "not assessable": {"status": PredictionStatus.NOT_ASSESSABLE},
    "not assessable, left": {
        "status": PredictionStatus.NOT_ASSESSABLE,
        "laterality": Laterality.LEFT,
    },
    "failed": {"status": PredictionStatus.FAILED, "laterality": Laterality.LEFT},
    "photograph": {
        "scan_kind": ScanKind.FUNDUS,
        "thickness_um": None,
        "layers": None,
        "picture": build_fundus_picture(),
        "notes": ("A note.",),
    },
    "photograph, not assessable": {
        "scan_kind": ScanKind.FUNDUS,
        "thickness_um": None,
        "layers": None,
        "status": PredictionStatus.NOT_ASSESSABLE,
    },
    "thickness map": {"scan_kind": ScanKind.THICKNESS_MAP, "layers": None},
    "eye unknown": {"status": PredictionStatus.NOT_ASSESSABLE, "laterality": None},
}


def write_report(
    report_format: ReportFormat,
    case: str,
    data: Path,
    folder: Path,
    context: ReportContext = NO_CONTEXT,
) -> Path:
    """Write the report of a case, made from the headers of a real scan and of its localizer."""
    scans = data / "oct" / "spectralis_circle_od"
    sources = [
        dcmread(scans / name, stop_before_pixels=True)
        for name in ("bscan_opt.dcm", "localizer_op.dcm")
    ]
    of_photograph = CASES[case].get("scan_kind") is ScanKind.FUNDUS
    sources = sources[1:] if of_photograph else sources
    scan = sources[0]
    prediction = build_prediction(
        **CASES[case],
        patient=PatientIdentity(scan.PatientID, None, str(scan.PatientName)),
        source=InstanceIdentity(scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.SOPInstanceUID),
    )
    if prediction.laterality:
        # The one real scan is of a right eye; a report of the other needs sources of the other.
        for source in sources:
            source.ImageLaterality = prediction.laterality.value
    path = folder / "report.dcm"
    report = report_format.build(prediction, sources, Equipment("1.2.3", "node-1"), context)
    report.save_as(path, enforce_file_format=True)
    return path


def run_validator(*command: str | Path, timeout_seconds: float = 60) -> tuple[int, list[str]]:
    """Return the exit code of a validator and each line it wrote."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    return done.returncode, [*done.stderr.splitlines(), *done.stdout.splitlines()]


def unexpected(lines: list[str], expected: tuple[re.Pattern[str], ...]) -> list[str]:
    """Return the lines that none of the patterns describes in full."""
    return [line for line in lines if not any(p.fullmatch(line) for p in expected)]
