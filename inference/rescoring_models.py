"""The models that score again: read when a job first names one, the last few kept."""

import threading
from collections import OrderedDict
from typing import Final

from core.model_choice import KnownModel
from core.rescorings import RescoringModel
from core.settings import Settings
from inference.loading import load_known, open_model_store
from inference.scorer import Scorer
from inference.scorers import load_scorer

#: Networks in memory at a time: one for photographs beside one for scans.
_KEPT: Final = 2


class RescoringModels:
    """Reads models by the identity a job carries."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: OrderedDict[str, Scorer] = OrderedDict()
        self._reading = threading.Lock()

    def scorer(self, model: RescoringModel) -> Scorer:
        """Return a model, warm.

        Raises
        ------
        ModelNotFound
            If it is not installed on this host.
        ModelDamaged
            If its files are not those its jobs were made for.
        """
        identity = model.identity
        with self._reading:
            found = self._kept.pop(identity.digest, None)
            if found is None:
                known = KnownModel(identity, model.kind)
                store = open_model_store(self._settings)
                name = f"{identity.name}:{identity.version}"
                found = load_scorer(load_known(store, known, name), self._settings)
            self._kept[identity.digest] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return found
