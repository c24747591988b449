"""The history of what scored, and who scored before."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlmodel import Session, col, select

from core.errors import NodeError
from core.model_choice import KnownModel
from core.tables.model_changes import ModelChangeRow
from core.tables.models import ModelRow, ModelState

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class NothingToUndo(NodeError):
    """No other model of that kind was active before; `arcuate models history` tells what was."""


def note_change(session: Session, row: ModelRow, state_before: str) -> None:
    """Record that a model came to the state it is in now, in the caller's transaction."""
    session.add(
        ModelChangeRow(
            at=row.since,
            name=row.name,
            version=row.version,
            kind=row.kind,
            state=row.state,
            state_before=state_before,
        )
    )


def list_changes(session: Session, limit: int = 100) -> Sequence[ModelChangeRow]:
    """Return the newest changes, newest first."""
    newest = select(ModelChangeRow).order_by(col(ModelChangeRow.id).desc())
    return session.exec(newest.limit(limit)).all()


def former_model(models: Iterable[KnownModel], kind: str | None = None) -> KnownModel:
    """Return the model that was active before the one that was activated last.

    Parameters
    ----------
    kind
        What they read; None for the kind whose active model was activated last.

    Raises
    ------
    NothingToUndo
        If none was, or it is out of use since.
    """
    known = list(models)
    active = [model for model in known if model.state is ModelState.ACTIVE]
    latest = max(
        (model for model in active if kind in {None, model.kind}), key=_activated, default=None
    )
    if latest is None:
        raise NothingToUndo
    before = [
        model
        for model in known
        if model.kind == latest.kind and model.activated_at and model not in active
    ]
    former = max(before, key=_activated, default=None)
    if former is None or former.state is ModelState.RETIRED:
        raise NothingToUndo
    return former


def _activated(model: KnownModel) -> datetime:
    return model.activated_at or _NEVER
