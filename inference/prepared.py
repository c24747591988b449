"""Examinations on their way between processes: what models and the record need, without pixels."""

from dataclasses import replace
from typing import Final

import numpy as np

from inference.examination import Examination

_NO_PIXELS: Final = np.zeros((0, 0), np.float32)


def without_pixels(examination: Examination) -> Examination:
    """Return an examination without its images: a few kilobytes instead of megabytes."""
    scan, profile, fundus = examination.scan, examination.profile, examination.fundus
    return replace(
        examination,
        scan=None if scan is None else replace(scan, pixels=_NO_PIXELS),
        profile=None if profile is None else replace(profile, picture=None),
        fundus=None if fundus is None else replace(fundus, picture=_NO_PIXELS),
    )
