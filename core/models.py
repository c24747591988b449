"""The record of models: which one scores, which only watch, which are out of use.

Knows no files: cards and weights lie in the model store of `inference`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import inspect
from sqlmodel import Session, col, select

from core.clock import utc_now
from core.database import Database
from core.errors import NodeError
from core.model_choice import DEFAULT_MODEL, KnownModel, chosen_model, named_model
from core.model_history import note_change
from core.tables.columns import table_of
from core.tables.models import ModelRow, ModelState
from core.values.prediction import ModelIdentity

#: The kind that always has a model: there is a default one.
_ALWAYS_SCORED: Final = "profile"
_MODELS: Final = table_of(ModelRow)


class ModelStateRefused(NodeError):
    """The model cannot come to that state from the one it is in."""


def list_models(session: Session) -> tuple[KnownModel, ...]:
    """Return every model the record knows, by name and version."""
    return _read(session, [column.name for column in _MODELS.columns])


def models_of_any_record(database: Database) -> tuple[KnownModel, ...]:
    """Return every model the record knows; none where it is from before it kept models."""
    with database.reading() as session:
        record = inspect(session.connection())
        if not record.has_table(_MODELS.name):
            return ()
        # One that is yet to be migrated lacks what came later.
        return _read(session, [column["name"] for column in record.get_columns(_MODELS.name)])


def _read(session: Session, names: Iterable[str]) -> tuple[KnownModel, ...]:
    columns = [_MODELS.columns[name] for name in names if name in _MODELS.columns]
    ordered = select(*columns).order_by(col(ModelRow.name), col(ModelRow.version))
    rows = session.execute(ordered).mappings()
    return tuple(_known({str(name): value for name, value in row.items()}) for row in rows)


def _known(row: Mapping[str, Any]) -> KnownModel:
    return KnownModel(
        ModelIdentity(row["name"], row["version"], row["digest"]),
        row["kind"],
        ModelState(row["state"]),
        row["since"],
        row["activated_at"],
        row.get("card"),
    )


def register_models(
    session: Session, models: Iterable[KnownModel], now: datetime | None = None
) -> None:
    """Add the models that the record does not know yet, as installed.

    One whose weights, or whose name and version, are known already is left as it is, but for what
    its card says.
    """
    models = list(models)
    known = list_models(session)
    _keep_cards(session, known, models)
    taken: set[object] = {model.identity.digest for model in known}
    taken |= {(model.identity.name, model.identity.version) for model in known}
    for model in models:
        name, version, digest = model.identity.name, model.identity.version, model.identity.digest
        if digest in taken or (name, version) in taken:
            continue
        row = ModelRow(name=name, version=version, digest=digest, kind=model.kind, since=_at(now))
        row.card = None if model.card is None else dict(model.card)
        session.add(row)
        taken |= {digest, (name, version)}
    session.flush()


def activate_model(
    session: Session, identity: ModelIdentity, setting: str, now: datetime | None = None
) -> None:
    """Let a registered model score what arrives of its kind; the one before is only installed.

    Parameters
    ----------
    setting
        `ARCUATE_MODEL`.

    Raises
    ------
    ModelStateRefused
        If the setting lets another model of that kind score; the transaction must be rolled back.
    """
    row = _row(session, identity)
    # What scored until now by its name only can be gone back to.
    keep_choice(session, setting, now, row.kind)
    is_rival = (col(ModelRow.kind) == row.kind, col(ModelRow.state) == ModelState.ACTIVE)
    before = session.exec(select(ModelRow).where(*is_rival)).first()
    if before is not None and before is not row:
        _move(session, before, ModelState.INSTALLED, now)
        # Written first: there may be one active model of a kind.
        session.flush()
    _move(session, row, ModelState.ACTIVE, now)
    row.activated_at = _at(now)
    session.flush()
    models = list_models(session)
    is_misspelt = setting != DEFAULT_MODEL and named_model(models, setting) is None
    if is_misspelt or not _is(chosen_model(models, row.kind, setting), identity):
        raise ModelStateRefused(
            f"ARCUATE_MODEL is {setting}, and that decides which {row.kind} model scores: unset it "
            f"to leave that to `arcuate models activate`, or set it to {row.name}"
        )


def keep_choice(
    session: Session, setting: str, now: datetime | None = None, kind: str | None = None
) -> None:
    """Activate what scores so far only by its name, so that no newer version takes its place.

    Parameters
    ----------
    setting
        `ARCUATE_MODEL`.
    kind
        Of these models only; None for all.
    """
    models = list_models(session)
    for each in {model.kind for model in models if kind in {None, model.kind}}:
        chosen = chosen_model(models, each, setting)
        if chosen is None or chosen.activated_at is not None:
            continue
        row = _row(session, chosen.identity)
        row.activated_at = _at(now)
        is_active = [model.kind == each and model.state is ModelState.ACTIVE for model in models]
        if not any(is_active):
            _move(session, row, ModelState.ACTIVE, now)
    session.flush()


def shadow_model(
    session: Session, identity: ModelIdentity, setting: str, now: datetime | None = None
) -> None:
    """Let a registered model score beside the active one of its kind.

    Raises
    ------
    ModelStateRefused
        If it is the active one, or none is.
    """
    row = _row(session, identity)
    chosen = chosen_model(list_models(session), row.kind, setting)
    if chosen is None:
        raise ModelStateRefused(
            f"No {row.kind} model is active, so there is nothing to score beside: "
            "`arcuate models activate` one first"
        )
    if _is(chosen, identity):
        raise ModelStateRefused(
            f"{_label(row)} is the active {row.kind} model and scores already: `arcuate models "
            "activate` another one first"
        )
    _move(session, row, ModelState.SHADOW, now)
    session.flush()


def retire_model(
    session: Session, identity: ModelIdentity, setting: str, now: datetime | None = None
) -> None:
    """Take a registered model out of use; its predictions stay.

    Raises
    ------
    ModelStateRefused
        If it is the active one of the kind that is always scored, or the setting pins it; the
        transaction must be rolled back.
    """
    row = _row(session, identity)
    was = chosen_model(list_models(session), row.kind, setting)
    _move(session, row, ModelState.RETIRED, now)
    session.flush()
    still = chosen_model(list_models(session), row.kind, setting)
    if _is(still, identity) or (_is(was, identity) and row.kind == _ALWAYS_SCORED):
        raise ModelStateRefused(
            f"{_label(row)} is the active {row.kind} model: `arcuate models activate` another one "
            "first, then retire this one"
        )


def _keep_cards(
    session: Session, known: Iterable[KnownModel], models: Iterable[KnownModel]
) -> None:
    read = {model.identity: model.card for model in models if model.card is not None}
    for model in known:
        card = read.get(model.identity)
        # Most starts of a process find what is there already, and write nothing.
        if card is not None and dict(card) != model.card:
            key = (model.identity.name, model.identity.version)
            session.get_one(ModelRow, key).card = dict(card)


def _move(session: Session, row: ModelRow, state: ModelState, now: datetime | None) -> None:
    if row.state != state:
        before, row.state, row.since = row.state, state, _at(now)
        note_change(session, row, before)


def _row(session: Session, identity: ModelIdentity) -> ModelRow:
    # All are locked, always in this order: of two changes at a time the second waits.
    locked = select(ModelRow).order_by(col(ModelRow.name), col(ModelRow.version)).with_for_update()
    rows = {(row.name, row.version): row for row in session.exec(locked).all()}
    row = rows.get((identity.name, identity.version))
    if row is None or row.digest != identity.digest:
        raise ModelStateRefused(
            f"The record knows {identity.name} {identity.version} with other weights than those "
            "installed here: a version is given once, so install this model under a new one"
        )
    return row


def _is(model: KnownModel | None, identity: ModelIdentity) -> bool:
    return model is not None and model.identity == identity


def _at(now: datetime | None) -> datetime:
    return now or utc_now()


def _label(row: ModelRow) -> str:
    return f"{row.name} {row.version}"
