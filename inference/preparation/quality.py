"""The gates a B-scan has to pass before a field may be estimated from it.

The limits lie between what one real Spectralis scan and simulated scans show, also under added
noise, and what pictures show that must not pass: noise, turned or inverted scans, a macular line,
a localizer, a CT slice, blinks, a retina cut by the edge, blur, lines drawn along the borders.

The score of a scan that passes is what its thickness is worth: 1 less a tenth for each micrometre
it is expected to be off.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.profile import Quality
from core.values.reason import Reason, ReasonCode
from inference.preparation.expected_error import expected_error_um
from inference.preparation.measures import Measures

#: Least signal of a device that states it (OSCAR-IB criteria, Tewarie 2012: Spectralis 15 dB).
LEAST_SIGNAL_DB: Final = 15.0
#: Real scan 10.5; with added noise 4.5 (6 µm off), 3.8 (10 µm off), 2.6 (14 µm off).
LEAST_CONTRAST: Final = 4.0
#: Real scan 0; overexposed 1.5-fold 0.49 (2 µm too thick), 1.7-fold 0.76 (11 µm too thick).
MOST_SATURATED_SHARE: Final = 0.6
#: Real scan 0; a blink over 8 % of the circle 0.08.
MOST_DARK_SHARE: Final = 0.05
#: Real and simulated scans 0; noise 0.11, a scan moved out of the picture 0.2.
MOST_CUT_SHARE: Final = 0.02
#: Real scan 0; noise 0.05 to 0.12, a line whose ends do not meet 0.04.
MOST_JUMP_SHARE: Final = 0.03
#: Real scan 0.
MOST_HIT_SHARE: Final = 0.10
#: Real scan 1.0; a blink over 20 % of the circle 0.8, noise 0.5 to 0.75.
LEAST_MEMBRANE_SHARE: Final = 0.90
#: Real scan 0.93; a localizer 0.58.
LEAST_BORDER_SHARE: Final = 0.70
#: Real scan 0.94; noise 0.2 to 0.54.
LEAST_BAND_SHARE: Final = 0.70
#: Real scan 0.42, simulated up to 0.48; upside-down scans 0.62 and more.
MOST_DIP_LEVEL: Final = 0.60
#: Choroid over vitreous: real scan +0.14, simulated +0.2; upside-down scans -0.08 and less.
LEAST_DEEP_EXCESS: Final = 0.03
#: Real scan and sharp simulated ones 10; blurred to 16 they are 6 µm too thick, to 31 25 µm.
MOST_EDGE_UM: Final = 16.0
#: Real and simulated scans 0.42 and less; with lines drawn along a border 0.95 and more.
MOST_LINE_SHARE: Final = 0.7
#: Real circle 0.3, clean simulated ones up to 1.01; a real macular line 1.7, simulated ones 1.35.
MOST_SEAM_RATIO: Final = 1.15
#: Real scan 3.4 (it is 4.2 off), clean simulated ones 1.5 (1.5).
MOST_EXPECTED_ERROR_UM: Final = 6.0
#: No healthy or blind eye's mean lies outside.
MEAN_LIMITS_UM: Final = (30.0, 150.0)
#: Expected error of a scan that scores nothing.
_USELESS_UM: Final = 10.0

_REMEDY: Final = "Scan the eye again"


def without_contrast() -> Quality:
    """Return the quality of a picture that shows no layer at all."""
    return Quality(False, 0.0, (_weak("The picture has no contrast: it is black or overexposed"),))


def judge(
    measures: Measures, thickness_um: NDArray[np.floating], signal_db: float | None
) -> Quality:
    """Return whether a segmentation may be used, with every reason against it.

    Parameters
    ----------
    thickness_um
        Shape (columns,), micrometre.
    signal_db
        Signal strength as the device gives it, None where it does not.
    """
    findings = (
        *_signal_findings(measures, signal_db),
        *_picture_findings(measures),
        *_border_findings(measures, float(np.mean(thickness_um))),
    )
    if findings:
        return Quality(False, 0.0, findings)
    return Quality(True, _score(measures))


def _score(measures: Measures) -> float:
    """Return 1 for a thickness expected to be exact, falling by 0.1 for each µm it may be off."""
    return max(0.0, 1 - expected_error_um(measures) / _USELESS_UM)


def _signal_findings(measures: Measures, signal_db: float | None) -> tuple[Reason, ...]:
    findings = []
    if signal_db is not None and signal_db < LEAST_SIGNAL_DB:
        findings.append(
            _weak(f"The device gives a signal of {signal_db:.1f} dB, below {LEAST_SIGNAL_DB:.0f}")
        )
    if measures.contrast < LEAST_CONTRAST:
        findings.append(_weak("The nerve fibre layer hardly stands out from the noise"))
    if measures.saturated_share > MOST_SATURATED_SHARE:
        findings.append(_unreliable("The nerve fibre layer is overexposed"))
    if measures.dark_share > MOST_DARK_SHARE:
        findings.append(
            _weak(f"{measures.dark_share:.0%} of the circle are dark, as by a blink or a shadow")
        )
    return tuple(findings)


def _picture_findings(measures: Measures) -> tuple[Reason, ...]:
    findings = []
    if measures.line_share > MOST_LINE_SHARE:
        findings.append(
            Reason(
                ReasonCode.DERIVED_OR_BURNED_IN,
                f"Lines are drawn into {measures.line_share:.0%} of the picture. Send the scan as "
                "the device recorded it, without the borders of its layers.",
            )
        )
    if measures.seam_ratio > MOST_SEAM_RATIO:
        findings.append(
            Reason(
                ReasonCode.SEGMENTATION_UNRELIABLE,
                "The ends of the scan do not meet, as those of a circle around the optic disc do. "
                "Send the circle scan, or scan it again with the eye at rest.",
            )
        )
    if measures.edge_um > MOST_EDGE_UM:
        findings.append(
            _unreliable(f"The picture is blurred: its borders are {measures.edge_um:.0f} µm wide")
        )
    if measures.cut_share > MOST_CUT_SHARE:
        findings.append(_unreliable("The retina is cut off by the edge of the picture"))
    deep_excess = measures.choroid_level - measures.vitreous_level
    if measures.dip_level > MOST_DIP_LEVEL or deep_excess < LEAST_DEEP_EXCESS:
        findings.append(
            _unreliable(
                "The layers do not follow each other as in a retina seen with the vitreous on top"
            )
        )
    if measures.band_share < LEAST_BAND_SHARE:
        findings.append(_unreliable("The outer retina was not found along the circle"))
    return tuple(findings)


def _border_findings(measures: Measures, mean_um: float) -> tuple[Reason, ...]:
    findings = []
    if measures.jump_share > MOST_JUMP_SHARE:
        findings.append(_unreliable("The surface of the retina leaps along the circle"))
    if measures.membrane_share < LEAST_MEMBRANE_SHARE:
        findings.append(_unreliable("The surface of the retina was not found along the circle"))
    if measures.border_share < LEAST_BORDER_SHARE:
        findings.append(_unreliable("The lower border of the nerve fibre layer was not found"))
    if measures.hit_share > MOST_HIT_SHARE:
        findings.append(
            _unreliable("The lower border lies at the limit of where it may be in many places")
        )
    error_um = expected_error_um(measures)
    if error_um > MOST_EXPECTED_ERROR_UM:
        findings.append(_unreliable(f"The thickness may be off by {error_um:.0f} µm"))
    low, high = MEAN_LIMITS_UM
    if not low <= mean_um <= high:
        findings.append(
            _unreliable(f"The mean thickness is {mean_um:.0f} µm, outside {low:.0f} to {high:.0f}")
        )
    return tuple(findings)


def _weak(finding: str) -> Reason:
    return Reason(ReasonCode.SIGNAL_TOO_LOW, f"{finding}. {_REMEDY}.")


def _unreliable(finding: str) -> Reason:
    return Reason(ReasonCode.SEGMENTATION_UNRELIABLE, f"{finding}. {_REMEDY}.")
