"""Models: what each does, what its card says, how versions agree, and how they drift.

Pages only read: a model is activated at the terminal.
"""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from api.dashboard.bland_altman_view import bland_altman_view
from api.dashboard.drift_view import drift_view
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.clock import utc_now
from core.errors import RecordNotFound
from core.metrics.gpus import read_gpus
from core.model_choice import KnownModel, shown_state
from core.model_history import list_changes
from core.models import list_models
from core.monthly_figures import months_until
from core.shadow_agreement import MOST_SCANS, read_agreement
from core.tables.models import ModelState

ROUTER: Final = APIRouter(include_in_schema=False)

_PATH: Final = "/models"
_CHANGES_SHOWN: Final = 20
#: Who scores comes first.
_ORDER: Final = tuple(ModelState(name) for name in ("active", "shadow", "installed", "retired"))


@dataclass(frozen=True)
class ModelView:
    """A model in the state it really is in."""

    model: KnownModel
    state: ModelState


@ROUTER.get(_PATH)
def show_models(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show every model, what scored before, how busy the GPUs here are, and what drifts."""
    months = months_until(utc_now())
    with node.database.reading() as session:
        views = _views(session, node.settings.model)
        history = list_changes(session, _CHANGES_SHOWN)
    figures = node.monthly.read(months)
    return render(
        "models.html",
        here=_PATH,
        caller=caller,
        models=views,
        history=history,
        gpus=read_gpus(),
        series=drift_view(figures, months),
    )


@ROUTER.get(_PATH + "/{name}/{version}")
def show_model(
    node: NodeParameter, caller: CallerParameter, name: str, version: str
) -> HTMLResponse:
    """Show one model with its card, its agreement with others, and its drift."""
    months = months_until(utc_now())
    with node.database.reading() as session:
        view = _find(_views(session, node.settings.model), name, version)
        agreements = read_agreement(session, view.model.identity.digest)
    figures = node.monthly.read(months)
    return render(
        "model.html",
        here=_PATH,
        caller=caller,
        view=view,
        card=view.model.card,
        agreements=[bland_altman_view(one) for one in agreements],
        most_scans=MOST_SCANS,
        series=drift_view(figures, months, f"{name} {version}"),
    )


def _views(session: Session, setting: str) -> list[ModelView]:
    models = list_models(session)
    views = [ModelView(model, shown_state(model, models, setting)) for model in models]
    return sorted(views, key=lambda view: _ORDER.index(view.state))


def _find(views: list[ModelView], name: str, version: str) -> ModelView:
    for view in views:
        if (view.model.identity.name, view.model.identity.version) == (name, version):
            return view
    raise RecordNotFound("There is no such model")
