from dataclasses import replace

import numpy as np
import pytest

from core.values.profile import Quality
from core.values.reason import ReasonCode
from inference.preparation import quality
from inference.preparation.expected_error import expected_error_um
from inference.preparation.measures import Measures

#: Figures of the public Spectralis circle scan.
GOOD = Measures(
    hit_share=0.0,
    jump_share=0.0,
    membrane_share=1.0,
    border_share=0.93,
    band_share=0.94,
    vitreous_level=0.25,
    choroid_level=0.39,
    dip_level=0.42,
    contrast=10.5,
    saturated_share=0.0,
    cut_share=0.0,
    dark_share=0.0,
    edge_um=10.0,
    line_share=0.02,
    shadow_share=0.08,
    restless_um=2.33,
    seam_ratio=0.33,
)
LEAST_CHOROID_LEVEL = GOOD.vitreous_level + quality.LEAST_DEEP_EXCESS
THICKNESS_UM = np.full(768, 100.0)


def test_quality_of_a_good_scan_is_assessable() -> None:
    judged = quality.judge(GOOD, THICKNESS_UM, None)

    assert judged == Quality(True, pytest.approx(1 - expected_error_um(GOOD) / 10), ())  # type: ignore[arg-type]
    assert judged.score == pytest.approx(0.66, abs=0.01)


@pytest.mark.parametrize(
    ("figure", "limit", "beyond", "code"),
    [
        ("contrast", quality.LEAST_CONTRAST, -0.01, ReasonCode.SIGNAL_TOO_LOW),
        ("dark_share", quality.MOST_DARK_SHARE, 0.01, ReasonCode.SIGNAL_TOO_LOW),
        ("saturated_share", quality.MOST_SATURATED_SHARE, 0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("cut_share", quality.MOST_CUT_SHARE, 0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("jump_share", quality.MOST_JUMP_SHARE, 0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("hit_share", quality.MOST_HIT_SHARE, 0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("membrane_share", quality.LEAST_MEMBRANE_SHARE, -0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("border_share", quality.LEAST_BORDER_SHARE, -0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("band_share", quality.LEAST_BAND_SHARE, -0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("edge_um", quality.MOST_EDGE_UM, 0.1, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("restless_um", 6.3, 0.1, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("seam_ratio", quality.MOST_SEAM_RATIO, 0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("line_share", quality.MOST_LINE_SHARE, 0.01, ReasonCode.DERIVED_OR_BURNED_IN),
        ("dip_level", quality.MOST_DIP_LEVEL, 0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
        ("choroid_level", LEAST_CHOROID_LEVEL, -0.01, ReasonCode.SEGMENTATION_UNRELIABLE),
    ],
)
def test_quality_gate_shuts_beyond_its_limit(
    figure: str, limit: float, beyond: float, code: ReasonCode
) -> None:
    calm = replace(GOOD, restless_um=0.5)
    inside = quality.judge(replace(calm, **{figure: limit - beyond}), THICKNESS_UM, None)
    outside = quality.judge(replace(calm, **{figure: limit + beyond}), THICKNESS_UM, None)

    assert inside.assessable
    assert (outside.assessable, outside.score) == (False, 0.0)
    assert [reason.code for reason in outside.reasons] == [code]


@pytest.mark.parametrize(
    ("mean_um", "assessable"), [(29.0, False), (31.0, True), (149.0, True), (151.0, False)]
)
def test_quality_gate_of_the_mean_thickness(mean_um: float, assessable: bool) -> None:
    assert quality.judge(GOOD, np.full(768, mean_um), None).assessable == assessable


@pytest.mark.parametrize(("signal_db", "assessable"), [(14.9, False), (15.0, True), (30.0, True)])
def test_quality_gate_of_the_devices_signal(signal_db: float, assessable: bool) -> None:
    judged = quality.judge(GOOD, THICKNESS_UM, signal_db)

    assert judged.assessable == assessable
    assert all(reason.code is ReasonCode.SIGNAL_TOO_LOW for reason in judged.reasons)


def test_quality_names_every_reason() -> None:
    poor = replace(GOOD, contrast=2.0, band_share=0.2, jump_share=0.2)

    assert len(quality.judge(poor, THICKNESS_UM, None).reasons) == 3


@pytest.mark.parametrize(
    ("figure", "value"),
    [("contrast", 5.0), ("edge_um", 13.0), ("shadow_share", 0.2), ("restless_um", 3.5)],
)
def test_quality_of_a_worse_scan_scores_lower(figure: str, value: float) -> None:
    worse = quality.judge(replace(GOOD, **{figure: value}), THICKNESS_UM, None)

    assert worse.assessable
    assert worse.score < quality.judge(GOOD, THICKNESS_UM, None).score - 0.02
