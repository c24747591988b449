"""The model that tensors are scored with: one of those at work, or another that is installed."""

from collections import OrderedDict
from typing import Final

from core.database import Database
from core.model_choice import named_model
from core.models import list_models
from core.settings import Settings
from core.tables.models import ModelState
from inference.errors import ModelNotFound
from inference.executors.register import executor_of
from inference.loading import load_known, open_model_store, with_installed
from inference.model_card import ModelCard
from inference.scorer import Scorer
from inference.scorers import ScorerSource

#: Models kept in memory beside those at work.
_MOST_KEPT: Final = 2


class TensorModels:
    """Finds the scorer of a name and version; one that scores already is not loaded again."""

    def __init__(self, settings: Settings, database: Database, at_work: ScorerSource) -> None:
        self._settings = settings
        self._database = database
        self._at_work = at_work
        self._executor = executor_of(settings)
        self._kept: OrderedDict[ModelCard, Scorer] = OrderedDict()

    def scorer(self, name: str, version: str) -> Scorer:
        """Return a model, warm.

        Raises
        ------
        ModelNotFound
            If there is none of that name and version, or it is out of use.
        ModelDamaged, DeviceUnavailable, RuntimeUnavailable
            As `Predictor.load`.
        ExecutorAway
            If what computes does not answer.
        ModelAway
            If one that is at work cannot be used on this host.
        """
        card = self._card(name, version)
        active = self._at_work.current().active.get(card.kind)
        if active is not None and active.card == card:
            return active
        if card not in self._kept:
            self._kept[card] = Scorer.on(self._executor, card)
        self._kept.move_to_end(card)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[card]

    def _card(self, name: str, version: str) -> ModelCard:
        with self._database.reading() as session:
            recorded = list_models(session)
        store, label = open_model_store(self._settings), f"{name}:{version}"
        model = named_model(with_installed(recorded, store), label)
        if model is not None and model.state is ModelState.RETIRED:
            raise ModelNotFound(f"{name} {version} is out of use: `arcuate models activate` it")
        return load_known(store, model, label)
