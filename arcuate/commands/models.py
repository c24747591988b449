"""`arcuate models`: the model store, and which model scores."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from inference.precisions import Precision

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sqlmodel import Session

    from core.settings import Settings
    from core.values.prediction import ModelIdentity
    from inference.model_card import ModelCard

app = typer.Typer(help="The models that can score, and which does.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For a program to read.")]
Name = Annotated[str, typer.Argument(help="NAME[:VERSION]")]

_COLUMNS = ["name", "version", "kind", "state", "since", "digest"]


@app.command(name="list")
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models: which scores what, which watches beside it, which is out of use."""
    from core.model_choice import shown_state
    from inference.loading import known_models

    settings = settings_of(context)
    models = known_models(settings)
    rows = [
        {
            "name": model.identity.name,
            "version": model.identity.version,
            "kind": model.kind,
            "state": shown_state(model, models, settings.model),
            "active": shown_state(model, models, settings.model) == "active",
            "since": model.since,
            "digest": model.identity.digest,
        }
        for model in models
    ]
    print_rows(rows, _COLUMNS, as_json)


@app.command()
def show(context: typer.Context, name: Name, _as_json: AsJson = True) -> None:
    """Show a model's card as JSON: what it is for, what it was trained on, its figures."""
    from dataclasses import asdict

    from inference.loading import find_card

    print_json(asdict(find_card(settings_of(context), name)))


@app.command()
def add(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="With card.toml and weights.")
    ],
    as_json: AsJson = False,
) -> None:
    """Install a model: its card, files and answers are checked first; it does not score yet."""
    from core.models import keep_choice
    from inference.loading import added_models, open_model_store
    from inference.model_adding import add_model
    from inference.model_trial import try_model

    settings = settings_of(context)

    def trial(copy: "ModelCard") -> None:
        try_model(copy, settings.device)
        with _record(settings) as session:
            # Before it is there, lest a newer version of the same name score by its name alone.
            keep_choice(session, settings.model)

    card = add_model(folder, added_models(settings), open_model_store(settings), trial)
    with _record(settings):
        pass
    _tell(card, "is installed; `arcuate models activate` lets it score", as_json)


@app.command()
def activate(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Let a model score what arrives of its kind, from the next group of scans on."""
    from core.models import activate_model
    from inference.model_trial import try_model

    settings = settings_of(context)
    card = _card(settings, name)
    try_model(card, settings.device)
    _change(settings, card, activate_model)
    _tell(card, f"is the active {card.kind} model", as_json)


@app.command()
def shadow(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Let a model score beside the active one, unseen; `arcuate models compare` tells how."""
    from core.models import shadow_model
    from inference.model_trial import try_model

    settings = settings_of(context)
    card = _card(settings, name)
    try_model(card, settings.device)
    _change(settings, card, shadow_model)
    _tell(card, f"scores beside the active {card.kind} model, unseen", as_json)


@app.command()
def retire(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Take a model out of use; its files and predictions stay, and it can be activated again."""
    from core.models import retire_model

    settings = settings_of(context)
    card = _card(settings, name)
    _change(settings, card, retire_model)
    _tell(card, "is out of use", as_json)


@app.command()
def undo(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Option(help="profile or fundus; else what was activated last.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let the model score again that was active before; once more brings the later one back."""
    from core.model_history import former_model
    from inference.loading import known_models

    former = former_model(known_models(settings_of(context)), kind).identity
    activate(context, f"{former.name}:{former.version}", as_json)


@app.command()
def history(context: typer.Context, as_json: AsJson = False) -> None:
    """List which model came to which state and when, newest first."""
    from core.model_history import list_changes

    columns = ["at", "name", "version", "kind", "state", "state_before"]
    with _record(settings_of(context)) as session:
        rows = [{name: getattr(row, name) for name in columns} for row in list_changes(session)]
    nothing = "No model was brought to another state yet."
    print_rows(rows, columns, as_json, nothing=nothing)


@app.command()
def check(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="A folder with card.toml and weights, or NAME[:VERSION].")
    ],
    precision: Annotated[
        Precision, typer.Option(help="In what numbers its inner layers compute.")
    ] = Precision.MIXED_FLOAT16,
    write: Annotated[
        bool, typer.Option("--write", help="State the precision and the check in the card.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure on this device what half precision changes; GPUs use it once the card states so."""
    from dataclasses import asdict

    from inference.model_card import CARD_FILE, read_card
    from inference.model_card_writer import write_card
    from inference.precision import check_precision

    settings, folder = settings_of(context), Path(model)
    is_folder = (folder / CARD_FILE).is_file()
    card = read_card(folder) if is_folder else _card(settings, model)
    card.verify_weights()
    stated = check_precision(card, precision, settings.device)
    if write:
        write_card(stated)
    found = stated.precision_check
    if as_json or found is None:
        print_json(asdict(found) if found else None)
        return
    typer.echo(
        f"{card.name} {card.version} in {precision}: fields up to "
        f"{found.largest_difference_db:.3g} dB from those in float32, {found.eyes} eyes, "
        f"{found.device} ({found.software})."
    )


@app.command()
def compare(
    context: typer.Context,
    name: Name,
    other: Annotated[
        str | None, typer.Argument(help="NAME[:VERSION]; by default the active model.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two models over the scans both looked at; the page of a model draws it, too."""
    from dataclasses import asdict

    from core.model_comparison import compare_models

    settings = settings_of(context)
    first = _card(settings, name)
    second = _card(settings, other or _active_of(settings, first))
    with _record(settings) as session:
        found = asdict(compare_models(session, first.digest, second.digest))
    if as_json:
        print_json({"first": _label(first), "second": _label(second), **found})
        return
    rows = [{"what": what.replace("_", " "), "value": _rounded(v)} for what, v in found.items()]
    nothing = (
        f"{_label(first)} and {_label(second)} have not looked at the same eye yet: "
        f"`arcuate models shadow {first.name}:{first.version}`, then let scans come."
    )
    if found["eyes"]:
        typer.echo(f"{_label(first)} less {_label(second)}:")
    print_rows(rows if found["eyes"] else [], ["what", "value"], as_json=False, nothing=nothing)


def _active_of(settings: "Settings", card: "ModelCard") -> str:
    """Return the model that scores what another one reads, as NAME:VERSION."""
    from inference.loading import active_cards, known_models

    return _label(active_cards(settings, known_models(settings))[card.kind])


def _label(card: "ModelCard") -> str:
    return f"{card.name}:{card.version}"


def _card(settings: "Settings", name: str) -> "ModelCard":
    """Return the card of a model, however it stands: one out of use can come back by its name."""
    from inference.errors import ModelNotFound
    from inference.loading import find_card, open_model_store

    try:
        return find_card(settings, name)
    except ModelNotFound:
        base, _, version = name.partition(":")
        return open_model_store(settings).load_card(base, version or None)


def _change(
    settings: "Settings",
    card: "ModelCard",
    change: "Callable[[Session, ModelIdentity, str], None]",
) -> None:
    with _record(settings) as session:
        change(session, card.identity, settings.model)


@contextmanager
def _record(settings: "Settings") -> "Generator[Session]":
    """Open the record, which then knows every model installed here."""
    from arcuate.node import open_or_make_node
    from core.models import register_models
    from inference.loading import known_models

    database = open_or_make_node(settings).database
    models = known_models(settings)
    try:
        with database.transaction() as session:
            register_models(session, models)
            yield session
    finally:
        database.close()


def _tell(card: "ModelCard", what: str, as_json: bool) -> None:
    if as_json:
        print_json({"name": card.name, "version": card.version, "digest": card.digest})
        return
    typer.echo(f"{card.name} {card.version} {what}.")


def _rounded(value: float | None) -> float | None:
    return round(value, 3) if isinstance(value, float) else value
