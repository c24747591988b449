"""What several results of one study say of each eye: which one counts, and whether they agree.

Nothing is mixed: each eye is told from its own results alone, and no number is an average. What one
result says against another stays visible.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.scan import ScanKind

#: Results of one eye whose mean deviations are further apart than this disagree, in dB. A choice,
#: not a norm: repeated estimates of one eye have no published limits.
DISAGREEMENT_DB: Final = 2.0
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class EyeResult:
    """One standing prediction, as short as a summary needs it.

    Attributes
    ----------
    mean_deviation_db
        None where there is no estimate, or no age to compare with.
    is_withheld
        Whether a person said that it must not be used.
    """

    prediction_id: str
    sop_instance_uid: str
    status: PredictionStatus
    laterality: Laterality | None
    mean_deviation_db: float | None
    quality_score: float
    acquired_at: datetime | None
    predicted_at: datetime
    scan_kind: ScanKind | None
    model: str
    reasons: tuple[str, ...]
    is_withheld: bool = False


@dataclass(frozen=True)
class Eye:
    """What is known of one eye; `laterality` None gathers results that could be given to neither.

    Attributes
    ----------
    status
        Of `current`; None where nothing was scored.
    current
        The result that counts, see `tell_eyes`.
    results
        All of them, the one that counts first.
    mean_deviation_range_db
        Between the highest and the lowest of the estimates; None with fewer than two.
    disagree
        Whether estimates are further apart than `DISAGREEMENT_DB`.
    """

    laterality: Laterality | None
    status: PredictionStatus | None
    current: EyeResult | None
    results: tuple[EyeResult, ...]
    mean_deviation_range_db: float | None
    disagree: bool

    def as_json(self) -> dict[str, Any]:
        """Return it for a JSON column."""
        return {
            "laterality": self.laterality,
            "status": self.status,
            "current": self.current.prediction_id if self.current else None,
            "results": [_result_as_json(result) for result in self.results],
            "mean_deviation_range_db": self.mean_deviation_range_db,
            "disagree": self.disagree,
        }


def tell_eyes(results: Sequence[EyeResult]) -> tuple[Eye, ...]:
    """Return right eye, left eye and, where some results belong to neither, those.

    What a person said must not be used counts after all others. Of an eye's estimates the one from
    OCT counts before one from a photograph, then the one taken last, then the better one, then the
    one made last. Without an estimate, the refusal or failure
    of the scan taken last tells why there is none.
    """
    eyes = [_tell(side, [r for r in results if r.laterality is side]) for side in Laterality]
    neither = [result for result in results if result.laterality is None]
    return (*eyes, _tell(None, neither)) if neither else tuple(eyes)


def has_both_eyes(eyes: Sequence[Eye]) -> bool:
    """Return whether each eye has a result, an estimate or the reasons why there is none."""
    return {eye.laterality for eye in eyes if eye.current is not None} >= set(Laterality)


def _tell(side: Laterality | None, results: Sequence[EyeResult]) -> Eye:
    ordered = tuple(sorted(results, key=_rank, reverse=True))
    current = ordered[0] if ordered else None
    spread = _range_of(ordered)
    return Eye(
        laterality=side,
        status=current.status if current else None,
        current=current,
        results=ordered,
        mean_deviation_range_db=spread,
        disagree=spread is not None and spread > DISAGREEMENT_DB,
    )


def _rank(result: EyeResult) -> tuple[Any, ...]:
    return (
        not result.is_withheld,
        result.status is PredictionStatus.FINAL,
        result.status is not PredictionStatus.FAILED,
        result.scan_kind is not ScanKind.FUNDUS,
        result.acquired_at or _LONG_AGO,
        result.quality_score,
        result.predicted_at,
        result.prediction_id,
    )


def _range_of(results: Sequence[EyeResult]) -> float | None:
    counting = (r.mean_deviation_db for r in results if not r.is_withheld)
    known = [value for value in counting if value is not None]
    return round(max(known) - min(known), 3) if len(known) > 1 else None


def _result_as_json(result: EyeResult) -> dict[str, Any]:
    plain = asdict(result)
    if not result.is_withheld:
        # Summaries that were settled before there were reviews still read as they are now.
        del plain["is_withheld"]
    for name in ("acquired_at", "predicted_at"):
        plain[name] = plain[name].isoformat() if plain[name] is not None else None
    return {**plain, "reasons": list(result.reasons)}
