"""What a page lights up together: points, their fibres, disc sectors, columns of the B-scan."""

from dataclasses import dataclass

from api.dashboard.bscan_view import BscanView, bscan_axis
from api.dashboard.bundle_view import Bundle, Span, bundles_of, on_bscan
from api.dashboard.fundus_view import FundusView, fundus_view
from core.values.prediction import Prediction
from core.values.profile import SECTOR_LIMITS_DEGREE


@dataclass(frozen=True)
class LinkedView:
    """Structure and function of one eye.

    Attributes
    ----------
    fundus
        None where the eye is not known.
    bundles
        The fibres of each point by its location; empty where the eye is not known.
    sectors_on_bscan
        Columns of each disc sector; empty where it is not known where the columns lie.
    axis
        T, S, N and I with the columns where they lie.
    """

    fundus: FundusView | None
    bundles: dict[int, Bundle]
    sectors_on_bscan: dict[str, tuple[Span, ...]]
    axis: tuple[tuple[str, float], ...]

    def points_of(self, sector: str) -> int:
        """Return how many points have their fibres in a disc sector."""
        return sum(bundle.sector == sector for bundle in self.bundles.values())


def linked_view(prediction: Prediction, bscan: BscanView | None, has_fundus: bool) -> LinkedView:
    """Return what is lit up together on the page of a result."""
    width, course = None if bscan is None else bscan.width, prediction.course
    bundles = bundles_of(prediction, width)
    sectors = {
        name: on_bscan(course, width, (first + last) / 2, (last - first) / 2)
        for name, (first, last) in SECTOR_LIMITS_DEGREE.items()
    }
    return LinkedView(
        fundus=fundus_view(prediction, has_fundus),
        bundles={bundle.location: bundle for bundle in bundles},
        sectors_on_bscan={name: spans for name, spans in sectors.items() if spans},
        axis=bscan_axis(course, width),
    )
