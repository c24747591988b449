"""The gates a photograph has to pass before a field may be estimated from it.

The limits lie between what simulated photographs of mixed quality, one real colour photograph and
one real infrared picture show, and what pictures show that must not pass: noise, B-scans, CT and MR
slices, screens, other photographs, fundus photographs too blurred or cut at the disc.
"""

from typing import Final

from core.values.profile import Quality
from core.values.reason import Reason, ReasonCode
from inference.preparation.fundus_measures import FundusMeasures

#: Simulated photographs from 0.15, real 0.31.
LEAST_LEVEL: Final = 0.04
#: Real and simulated photographs 0.
MOST_SATURATED_SHARE: Final = 0.2
#: A fundus is red: real photograph 2.6, a portrait 0.8, ultrasound 1.0.
LEAST_REDNESS: Final = 1.2
#: Simulated from 0.22, real 0.33; blurred by 6 pixels of a 896-pixel photograph 0.17.
LEAST_VESSEL_DEPTH: Final = 0.19
#: Simulated from 0.06, real 0.18.
LEAST_CONTRAST: Final = 0.04
#: Simulated from 0.38, real 0.81; a screen with text 0.16.
LEAST_EDGE_SHARE: Final = 0.35
#: Simulated from 2.7, real 1.9; noise and smooth clouds 1.0 to 1.1.
LEAST_CONVERGENCE: Final = 1.5
#: Simulated from 0.76, real 0.82; B-scans 0.65 to 0.68, everything else to 0.63.
LEAST_RADIAL_SHARE: Final = 0.73
#: Simulated from 3, real 4 to 13; slices and test pictures 0 to 1.
FEWEST_VESSELS: Final = 3
#: Simulated to 0.30, real 0.30; noise 1.0.
MOST_VESSEL_SHARE: Final = 0.55
#: Simulated from 0.95, real 0.95; a macular picture with the disc cut off 0.31.
LEAST_SEEN_SHARE: Final = 0.85

#: What a photograph without fault shows.
_FULL_DEPTH: Final = 0.4
_FULL_CONTRAST: Final = 0.2

_REMEDY: Final = "Photograph the eye again with the disc in view and in focus"


def too_dark() -> Reason:
    """Return the reason of a photograph in which nothing is lit."""
    return _weak("The photograph is black or nearly so")


def disc_missing() -> Reason:
    """Return the reason of a photograph in which nothing is like a disc."""
    return _missing("No round region in which vessels meet was found")


def judge_fundus(measures: FundusMeasures) -> Quality:
    """Return whether a photograph may be used, with every reason against it."""
    findings = (*_light_findings(measures), *_disc_findings(measures))
    if findings:
        return Quality(False, 0.0, findings)
    return Quality(True, _score(measures))


def _score(measures: FundusMeasures) -> float:
    sharp = min(measures.vessel_depth / _FULL_DEPTH, 1.0)
    clear = min(measures.contrast / _FULL_CONTRAST, 1.0)
    return sharp * clear * measures.edge_share * measures.radial_share * measures.seen_share


def _light_findings(measures: FundusMeasures) -> tuple[Reason, ...]:
    findings = []
    if measures.level < LEAST_LEVEL:
        findings.append(_weak("The photograph is too dark"))
    if measures.saturated_share > MOST_SATURATED_SHARE:
        findings.append(_weak(f"{measures.saturated_share:.0%} of the photograph are overexposed"))
    if measures.vessel_depth < LEAST_VESSEL_DEPTH:
        findings.append(_weak("The vessels around the disc are blurred or absent"))
    return tuple(findings)


def _disc_findings(measures: FundusMeasures) -> tuple[Reason, ...]:
    findings = []
    if measures.redness is not None and measures.redness < LEAST_REDNESS:
        findings.append(_missing("The picture does not have the colours of a fundus"))
    if measures.contrast < LEAST_CONTRAST or measures.edge_share < LEAST_EDGE_SHARE:
        findings.append(_missing("No round region stands out as a disc does"))
    if measures.convergence < LEAST_CONVERGENCE or measures.radial_share < LEAST_RADIAL_SHARE:
        findings.append(_missing("The lines in the picture do not leave a disc as vessels do"))
    if measures.vessel_count < FEWEST_VESSELS or measures.vessel_share > MOST_VESSEL_SHARE:
        findings.append(
            _missing(f"{measures.vessel_count} vessels were found around the supposed disc")
        )
    if measures.seen_share < LEAST_SEEN_SHARE:
        findings.append(
            _missing(f"Only {measures.seen_share:.0%} of the retina around the disc are in view")
        )
    return tuple(findings)


def _weak(finding: str) -> Reason:
    return Reason(ReasonCode.SIGNAL_TOO_LOW, f"{finding}. {_REMEDY}.")


def _missing(finding: str) -> Reason:
    return Reason(ReasonCode.DISC_NOT_FOUND, f"{finding}. {_REMEDY}.")
