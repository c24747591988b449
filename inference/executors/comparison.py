"""Whether a network elsewhere gives what the weights that lie here give."""

from typing import Final

import numpy as np

from core.logs import get_logger
from inference.errors import ModelDamaged, RuntimeUnavailable
from inference.gating import gate_of
from inference.model_card import ModelCard
from inference.model_trial import trial_eyes
from inference.predictor import AnsweringNetwork, Predictor
from inference.runtimes.network import Network
from inference.scorer import Scorer

#: Between a network here and the same elsewhere, in dB; another library adds in another order.
SAME_DB: Final = 0.05

_log = get_logger(__name__)


def compare_with_local(card: ModelCard, network: AnsweringNetwork) -> None:
    """Let both answer for the same eyes; where nothing here can run the model, say so in the log.

    Raises
    ------
    ModelDamaged
        If their fields differ.
    ExecutorAway, PredictionFailed
        If the one elsewhere does not answer.
    """
    local = _local(card)
    if local is None:
        _log.warning("executor_not_compared", model=f"{card.name} {card.version}")
        return
    structure, age_years = trial_eyes(card)
    # A node refuses eyes that the model was not made for, as it should.
    judge = Scorer(Predictor(card, local), gate_of(card))
    fit = np.array([reason is None for reason in judge.unfit(structure, age_years)])
    here = local.answer(structure[fit], age_years[fit]).sensitivities_db
    there = Predictor(card, network).answer(structure[fit], age_years[fit]).sensitivities_db
    apart_db = float(np.abs(here - there).max())
    if apart_db > SAME_DB:
        raise ModelDamaged(
            f"{card.name} on the server that computes gives fields {apart_db:.2f} dB from those of "
            f"the weights of {card.version} that are installed here: load the same model there"
        )


def _local(card: ModelCard) -> Network | None:
    try:
        return Network.load(card, "cpu")
    except (RuntimeUnavailable, ModuleNotFoundError):
        # A host that only claims and records needs no library that computes.
        return None
