"""Adding a model to the store of a node: checked whole, then there at once or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from inference.errors import ModelAddingRefused, ModelDamaged
from inference.gating import gate_of
from inference.model_card import CARD_FILE, ModelCard, read_card
from inference.model_store import ModelStore

#: Copies in the making; no model of its own, as no name begins with a dot.
_INCOMING: Final = ".incoming"

#: Loads a model and lets it answer; raises `ModelDamaged` or another error that names the cause.
Trial = Callable[[ModelCard], None]


def add_model(source: Path, destination: Path, store: ModelStore, trial: Trial) -> ModelCard:
    """Copy a model into a folder of models and return its card there.

    What is tried is the copy, so what was tried is what is installed. On any error the folder of
    models is as it was.

    Parameters
    ----------
    source
        A folder with card, weights and, where the card names one, gate; nothing else is copied.
    destination
        The folder of models the new one is put into; made where it is missing.
    store
        Every model known here.
    trial
        How the copy is tried.

    Raises
    ------
    ModelAddingRefused
        If the version or the weights are there already, as another model.
    ModelDamaged
        If card, weights or gate are missing, changed or unreadable, or the trial fails.
    """
    card = read_card(source)
    card.verify_weights()
    known = _same_model(card, store)
    if known is not None:
        return known
    incoming = destination / _INCOMING
    incoming.mkdir(parents=True, exist_ok=True)
    copy = Path(tempfile.mkdtemp(dir=incoming))
    try:
        copied = _copy(card, copy)
        gate_of(copied)
        trial(copied)
        # Once more: reading a network must not have changed it.
        copied.verify_weights()
        return _put_in_place(copied, destination / f"{card.name}-{card.version}")
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _same_model(card: ModelCard, store: ModelStore) -> ModelCard | None:
    """Return the model where it is installed already; None where it is new."""
    for known in store.readable():
        if known.identity == card.identity:
            return known
        if (known.name, known.version) == (card.name, card.version):
            raise ModelAddingRefused(
                f"{card.name} {card.version} is installed with other weights ({known.digest}): a "
                "version is given once. Give this one a new version in its card."
            )
        if known.digest == card.digest:
            raise ModelAddingRefused(
                f"These weights are installed as {known.name} {known.version}: predictions are "
                "pinned to weights by their digest, so they cannot be another model as well."
            )
    return None


def _copy(card: ModelCard, folder: Path) -> ModelCard:
    """Return the card of a copy of everything the card names."""
    names = [CARD_FILE, card.weights, *([card.gate] if card.gate else [])]
    for name in names:
        source, copy = card.folder / name, folder / name
        if source.is_dir():
            shutil.copytree(source, copy, symlinks=True)
        else:
            shutil.copyfile(source, copy)
    copied = read_card(folder)
    if replace(copied, folder=card.folder) != card:
        raise ModelDamaged(f"The card of {card.name} changed while it was read; add it again.")
    copied.verify_weights()
    return copied


def _put_in_place(card: ModelCard, place: Path) -> ModelCard:
    """Move a tried copy to its place, on the disk before it is seen."""
    for path in (*card.folder.rglob("*"), card.folder):
        _sync(path)
    card.folder.chmod(0o755)
    try:
        card.folder.rename(place)
    except OSError as error:
        raise ModelAddingRefused(
            f"The folder {place.name} is taken ({error.strerror}): the version was added meanwhile,"
            " or something else lies there. Look into it, then add the model again."
        ) from error
    _sync(place.parent)
    return read_card(place)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
