"""The models that score at this moment: one for each kind of input, and those that only watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from core.database import Database
from core.errors import InfrastructureError, NodeError
from core.logs import get_logger
from core.model_choice import KnownModel
from core.models import list_models, register_models
from core.settings import Settings
from core.tables.models import ModelState
from core.values.prediction import FieldEstimate
from inference.cpu_runtime import load_predictor
from inference.errors import ExecutorAway
from inference.examination import Examination
from inference.executors.register import executor_of
from inference.gating import gate_of
from inference.loading import active_cards, load_known, open_model_store, with_installed
from inference.model_card import ModelCard, ModelKind
from inference.model_store import ModelStore
from inference.scorer import Scorer
from inference.shadow_scorer import ShadowScorer

_log = get_logger(__name__)


class ModelAway(InfrastructureError):
    """A model that was activated meanwhile cannot be used on this host; its scans wait."""


@dataclass(frozen=True)
class Scorers:
    """Who scores what.

    Attributes
    ----------
    active
        The model of each kind; a kind without one is not there.
    shadows
        Models that score beside those, unseen.
    """

    active: Mapping[ModelKind, Scorer]
    shadows: tuple[ShadowScorer, ...] = ()

    @property
    def age_limits_years(self) -> dict[ModelKind, tuple[float, float]]:
        """Youngest and oldest age each model is meant for."""
        return {kind: scorer.card.trained_age_range_years for kind, scorer in self.active.items()}

    def judged(self, examinations: Sequence[Examination]) -> list[Examination]:
        """Return the examinations, in order, with each model's reasons against scoring them."""
        judged = list(examinations)
        for kind, scorer in self.active.items():
            places = [place for place, found in enumerate(examinations) if found.kind is kind]
            own = scorer.judged([examinations[place] for place in places])
            for place, examination in zip(places, own, strict=True):
                judged[place] = examination
        return judged

    def estimate(self, examinations: Sequence[Examination]) -> list[FieldEstimate | None]:
        """Return one field per examination, in order, by the model of its kind.

        None for those that must not be scored.
        """
        estimates: list[FieldEstimate | None] = [None] * len(examinations)
        for kind, scorer in self.active.items():
            places = [place for place, found in enumerate(examinations) if found.kind is kind]
            own = scorer.estimate([examinations[place] for place in places])
            for place, estimate in zip(places, own, strict=True):
                estimates[place] = estimate
        return estimates


def load_scorers(cards: Mapping[ModelKind, ModelCard], settings: Settings) -> Scorers:
    """Return the models of these cards, warm, on what the settings ask for.

    Errors are those of `Predictor.load`.
    """
    return Scorers({kind: load_scorer(card, settings) for kind, card in cards.items()})


def load_scorer(card: ModelCard, settings: Settings) -> Scorer:
    """Return the model of one card, as `load_scorers` does."""
    return Scorer(load_predictor(card, settings), gate_of(card))


class ScorerSource(Protocol):
    """What knows who scores now."""

    def current(self) -> Scorers:
        """Return who scores now; cheap to ask before each group of scans."""
        ...


@dataclass(frozen=True)
class FixedScorers:
    """The same models throughout."""

    scorers: Scorers

    def current(self) -> Scorers:
        """Return the models."""
        return self.scorers


class RecordedScorers:
    """The models the record and the settings name; a change in the record is picked up.

    Raises
    ------
    ModelNotFound
        If a model that scores is not installed here.
    ModelDamaged
        If its files are not those it was installed with.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._executor = executor_of(settings)
        self._scorers = Scorers({})
        # Scans and tensors are scored by threads of their own.
        self._lock = Lock()
        self._recorded: Sequence[KnownModel] | None = None
        self._begin(self._register())

    def current(self) -> Scorers:
        """Return who scores now.

        Raises
        ------
        ModelAway
            If a model that was activated meanwhile cannot be used here.
        """
        with self._database.reading() as session:
            recorded = list_models(session)
        with self._lock:
            if recorded != self._recorded:
                self._scorers = self._changed(recorded)
                self._recorded = recorded
            return self._scorers

    def _begin(self, registered: Sequence[KnownModel]) -> None:
        try:
            self._scorers = self._load(registered)
        except ExecutorAway as error:
            # The other roles of the node need not wait for it; the jobs do.
            _log.warning("executor_away", error=str(error))
        else:
            self._recorded = registered

    def _register(self) -> tuple[KnownModel, ...]:
        """Let the record know every model installed here, so that others can list them."""
        with self._database.transaction() as session:
            store = open_model_store(self._settings)
            register_models(session, with_installed(list_models(session), store))
            return list_models(session)

    def _changed(self, recorded: Sequence[KnownModel]) -> Scorers:
        try:
            return self._load(recorded)
        except InfrastructureError:
            raise
        except NodeError as error:
            raise ModelAway(str(error)) from error

    def _load(self, recorded: Sequence[KnownModel]) -> Scorers:
        store = open_model_store(self._settings)
        models = with_installed(recorded, store)
        cards = active_cards(self._settings, models)
        scorers = Scorers(
            {kind: self._scorer(card) for kind, card in cards.items()},
            tuple(self._shadow(card) for card in _shadow_cards(models, cards, store)),
        )
        _log.info(
            "models_score",
            active=[f"{card.name} {card.version}" for card in cards.values()],
            shadows=[f"{shadow.card.name} {shadow.card.version}" for shadow in scorers.shadows],
            devices=[str(scorer.predictor.device_used) for scorer in scorers.active.values()],
        )
        return scorers

    def _scorer(self, card: ModelCard) -> Scorer:
        """Return a model, the one at work where it is the same."""
        kept = self._scorers.active.get(card.kind)
        if kept is not None and kept.card == card:
            return kept
        return Scorer.on(self._executor, card)

    def _shadow(self, card: ModelCard) -> ShadowScorer:
        kept = (shadow for shadow in self._scorers.shadows if shadow.card == card)
        return next(kept, None) or ShadowScorer(card, self._executor)


def _shadow_cards(
    models: Sequence[KnownModel], active: Mapping[ModelKind, ModelCard], store: ModelStore
) -> list[ModelCard]:
    scoring = {card.identity for card in active.values()}
    cards = []
    for model in models:
        if model.state is not ModelState.SHADOW or model.identity in scoring:
            continue
        try:
            cards.append(load_known(store, model, model.identity.name))
        except NodeError as error:
            # It only watches: nothing waits for it.
            _log.warning("shadow_left_out", model=model.identity.name, error=str(error))
    return cards
