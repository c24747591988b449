"""Which model scores again: one that is named, or the one that scores what comes in."""

from collections.abc import Sequence

from core.errors import NodeError
from core.model_choice import DEFAULT_MODEL, KnownModel, chosen_model, named_model
from core.rescorings import RescoringModel
from core.tables.models import ModelState

#: What most scans are for.
_USUAL_KIND = "profile"


class RescoringRefused(NodeError):
    """No such model may score again."""


def rescoring_model(
    models: Sequence[KnownModel], name: str | None, setting: str, is_shadow: bool
) -> RescoringModel:
    """Return the model to score again with.

    Parameters
    ----------
    name
        `NAME` or `NAME:VERSION`; None means the active one for OCT scans.
    setting
        `ARCUATE_MODEL`.
    is_shadow
        Whether its results are only compared with those that stand.

    Raises
    ------
    RescoringRefused
        If no such model is known, or it is retired and its results would stand.
    """
    known = named_model(models, name) if name else chosen_model(models, _USUAL_KIND, setting)
    if known is None:
        wanted = name or DEFAULT_MODEL
        raise RescoringRefused(
            f"No model {wanted} is known here: `arcuate models list` names those that are"
        )
    if known.state is ModelState.RETIRED and not is_shadow:
        raise RescoringRefused(
            f"{known.identity.name} {known.identity.version} is retired and makes no results; "
            "as a shadow it may still be compared with those that stand"
        )
    return RescoringModel(known.identity, known.kind, is_shadow)
