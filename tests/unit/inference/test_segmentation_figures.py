import numpy as np
import pytest

from inference.figures_table import segmentation_table
from inference.segmentation_figures import (
    CLEAN,
    MIXED,
    ScanSettings,
    SegmentationFigures,
    measure_segmentation,
)
from inference.simulation.difficulties import DIFFICULTIES


@pytest.fixture(scope="module")
def found() -> dict[str, SegmentationFigures]:
    rows = measure_segmentation(ScanSettings(clean=8, each=2, mixed=12))
    return {row.difficulty: row for row in rows}


def test_every_difficulty_is_measured(found: dict[str, SegmentationFigures]) -> None:
    assert list(found) == [CLEAN, *DIFFICULTIES, MIXED]
    assert [row.count for row in found.values()] == [8, *[2] * len(DIFFICULTIES), 12]


def test_clean_scans_are_measured_within_three_micrometres(
    found: dict[str, SegmentationFigures],
) -> None:
    clean = found[CLEAN]

    assert clean.refused_share == 0
    assert clean.mae_um is not None
    assert clean.bias_um is not None
    assert clean.mae_um < 3
    assert abs(clean.bias_um) < 1


def test_a_folded_scan_has_no_figures_because_it_is_refused(
    found: dict[str, SegmentationFigures],
) -> None:
    folded = found["folded"]

    assert (folded.refused_share, folded.mae_um, folded.worst_um) == (1, None, None)


def test_only_mixed_scans_tell_what_the_quality_foretells(
    found: dict[str, SegmentationFigures],
) -> None:
    telling = [row.difficulty for row in found.values() if row.quality_correlation is not None]

    assert telling == [MIXED]
    assert -1 <= (found[MIXED].quality_correlation or np.nan) <= 1


def test_the_table_shows_what_was_refused_without_figures() -> None:
    row = SegmentationFigures("folded", 20, 1.0, None, None, None, None)

    assert segmentation_table([row]).splitlines()[-1] == "| folded | 20 | 100.0 | – | – | – |"
