"""What is deployed: each active version of a model, once to answer at once and once for jobs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.ibm.identifiers import Mode, asset_id, deployment_id
from core.clock import utc_now
from core.errors import RecordNotFound
from core.model_choice import KnownModel, chosen_model
from core.models import list_models
from core.settings import Settings


@dataclass(frozen=True)
class Deployed:
    """A model that answers in one way."""

    model: KnownModel
    mode: Mode

    @property
    def id(self) -> str:
        """Its id: another one as soon as another version is active."""
        return deployment_id(self.model.identity, self.mode)

    @property
    def asset_id(self) -> str:
        """The id of its model."""
        return asset_id(self.model.identity)

    @property
    def name(self) -> str:
        """What it is called."""
        model = self.model.identity
        end = "" if self.mode is Mode.ONLINE else "-batch"
        return f"{model.name}-{model.version}{end}"

    @property
    def serving_name(self) -> str:
        """What may stand in place of its id: the model's name, whichever version is active."""
        return self.model.identity.name

    @property
    def since(self) -> datetime:
        """Since when it is."""
        return self.model.activated_at or self.model.since or utc_now()

    @property
    def output(self) -> str:
        """The name of its model's output."""
        return str(self.card["output_layer"])

    @property
    def card(self) -> dict[str, Any]:
        """What the card of its model says."""
        return dict(self.model.card or {})


def deployed(session: Session, settings: Settings) -> list[Deployed]:
    """Return everything that is deployed, in the order of the models' names."""
    models = list_models(session)
    active = [chosen_model(models, kind, settings.model) for kind in _kinds(models)]
    # Without its card a model was never loaded here: no process that scores has started yet.
    ready = [model for model in active if model is not None and model.card is not None]
    return [Deployed(model, mode) for model in ready for mode in Mode]


def find_deployed(session: Session, settings: Settings, name: str) -> Deployed:
    """Return what is deployed under an id; a serving name means what answers at once.

    Raises
    ------
    RecordNotFound
        If there is none.
    """
    for found in deployed(session, settings):
        is_named = found.mode is Mode.ONLINE and name == found.serving_name
        if found.id == name or is_named:
            return found
    raise RecordNotFound(
        "There is no such deployment: each belongs to one version of a model, and ends when "
        "another is activated; GET /ml/v4/deployments lists what there is"
    )


def find_asset(session: Session, model_asset_id: str) -> KnownModel:
    """Return the model that is an asset, active or not.

    Raises
    ------
    RecordNotFound
        If there is none.
    """
    for model in list_models(session):
        if asset_id(model.identity) == model_asset_id:
            return model
    raise RecordNotFound("There is no such asset; a deployment names the asset of its model")


def _kinds(models: tuple[KnownModel, ...]) -> list[str]:
    return list(dict.fromkeys(model.kind for model in models))
