"""What must come of each shipped sample, as its manifest says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import NodeError
from core.perimetry.pattern import Y_DEGREE

MANIFEST: Final = "manifest.json"


class SamplesMissing(NodeError):
    """The samples stand in a checkout only: give the demo the path of scans of your own."""


@dataclass(frozen=True)
class Expectation:
    """What must come of one sample; limits of the mean deviation are None where there are none."""

    status: str
    reason: str | None
    mean_deviation_below_db: float | None
    mean_deviation_above_db: float | None
    worse_half_field: str | None

    @property
    def makes_prediction(self) -> bool:
        """Whether there must be a prediction: a localizer makes none."""
        return self.status in {"final", "not_assessable"}

    @property
    def text(self) -> str:
        """The expectation in a few words."""
        parts = [self.status, self.reason]
        if self.mean_deviation_below_db is not None:
            parts.append(f"MD below {self.mean_deviation_below_db:+.1f} dB")
        if self.mean_deviation_above_db is not None:
            parts.append(f"MD above {self.mean_deviation_above_db:+.1f} dB")
        if self.worse_half_field is not None:
            parts.append(f"{self.worse_half_field} field worse")
        return ", ".join(part for part in parts if part)

    def is_met(self, prediction: Mapping[str, Any]) -> bool:
        """Whether a prediction of the REST API is what the sample should give."""
        if prediction["status"] != self.status:
            return False
        if self.status != "final":
            return [reason["code"] for reason in prediction["reasons"]] == [self.reason]
        return self._deviation_fits(prediction) and self._half_field_fits(prediction)

    def _deviation_fits(self, prediction: Mapping[str, Any]) -> bool:
        deviation = prediction["indices"]["mean_deviation"]
        below, above = self.mean_deviation_below_db, self.mean_deviation_above_db
        return (below is None or deviation < below) and (above is None or deviation > above)

    def _half_field_fits(self, prediction: Mapping[str, Any]) -> bool:
        if self.worse_half_field is None:
            return True
        deviations = np.array([point["total_deviation"] for point in prediction["points"]])
        superior, inferior = deviations[Y_DEGREE > 0].mean(), deviations[Y_DEGREE < 0].mean()
        return self.worse_half_field == ("superior" if superior < inferior else "inferior")


def samples_folder() -> Path:
    """Return the folder of the shipped samples.

    Raises
    ------
    SamplesMissing
        If the project runs from an installed wheel.
    """
    folder = Path(__file__).parent.parent / "sample_dicom"
    if not (folder / MANIFEST).exists():
        raise SamplesMissing
    return folder


def read_expectations(folder: Path) -> dict[str, Expectation]:
    """Return what must come of each sample, by SOP Instance UID."""
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    files = [file for study in manifest["studies"] for file in study["files"]]
    return {
        file["sop_instance_uid"]: Expectation(
            file["outcome"],
            file["reason"],
            file["mean_deviation_below_db"],
            file["mean_deviation_above_db"],
            file["worse_half_field"],
        )
        for file in files
    }
