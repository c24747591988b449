"""A model that scores beside the active one, unseen: nothing waits for it or fails by it."""

from collections.abc import Sequence

from core.clock import Clock
from core.database import Database
from core.errors import NodeError
from core.logs import get_logger
from core.shadow_predictions import ShadowPrediction, record_shadow_prediction
from core.values.prediction import FieldEstimate
from inference.examination import Examination
from inference.executors.executor import Executor
from inference.model_card import ModelCard
from inference.outcome import deviations_of
from inference.scorer import Scorer

_log = get_logger(__name__)


class ShadowScorer:
    """A model that is loaded when it first has something to watch.

    Parameters
    ----------
    executor
        What computes.
    """

    def __init__(self, card: ModelCard, executor: Executor) -> None:
        self.card = card
        self._executor = executor
        self._scorer: Scorer | None = None
        self._is_broken = False

    def watch(
        self, database: Database, clock: Clock, recorded: Sequence[tuple[str, Examination]]
    ) -> None:
        """Score examinations whose results are recorded, and keep what came out beside them.

        Parameters
        ----------
        recorded
            The id of each result, with the examination before the active model judged it.
        """
        watched = [
            (prediction_id, found)
            for prediction_id, found in recorded
            if found.kind is self.card.kind and found.input is not None
        ]
        if not watched or self._is_broken:
            return
        try:
            self._watch(database, clock, watched)
        except NodeError as error:
            _log.warning("shadow_failed", model=self.card.name, error=str(error))

    def _watch(
        self, database: Database, clock: Clock, watched: Sequence[tuple[str, Examination]]
    ) -> None:
        scorer = self._load()
        judged = scorer.judged([found for _, found in watched])
        estimates = scorer.estimate(judged)
        with database.transaction() as session:
            for (result, _), found, estimate in zip(watched, judged, estimates, strict=True):
                shadow = _prediction(result, self.card, clock, found, estimate)
                record_shadow_prediction(session, shadow)

    def _load(self) -> Scorer:
        if self._scorer is None:
            # Not tried again for each group: reading a network takes seconds.
            self._is_broken = True
            self._scorer = Scorer.on(self._executor, self.card)
            self._is_broken = False
        return self._scorer


def _prediction(
    prediction_id: str,
    card: ModelCard,
    clock: Clock,
    found: Examination,
    estimate: FieldEstimate | None,
) -> ShadowPrediction:
    difference = deviations_of(found, estimate)
    return ShadowPrediction(
        prediction_id=prediction_id,
        model=card.identity,
        predicted_at=clock(),
        reasons=found.reasons,
        estimate=estimate,
        mean_deviation_db=None if difference is None else difference.mean_deviation_db,
    )
