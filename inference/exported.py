"""Keras networks written once as ONNX files, with what the original answered and how fast."""

import io
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelDamaged
from inference.model_card import ModelCard
from inference.precisions import Precision
from inference.probe import probe_eyes
from inference.runtimes.network import Network, NetworkAnswer
from inference.runtimes.register import export_to_onnx, run_onnx

#: Batches that both are timed at: one patient who waits, and a full group.
TIMED_BATCHES: Final = (1, 16)
_REPEATS: Final = 30


@dataclass(frozen=True)
class Export:
    """A network of a card as ONNX Runtime runs it.

    Attributes
    ----------
    network
        Warm, on the processor.
    original
        What the Keras network said of the probe.
    ratios
        Time of the Keras network in that of this one, for each of `TIMED_BATCHES`, when it was
        written: above one, this one is the faster.
    """

    network: Network
    original: NetworkAnswer
    ratios: tuple[float, ...]

    @classmethod
    def open(cls, card: ModelCard, folder: Path) -> Self:
        """Return the export of a card that is kept in a folder; it is written where there is none.

        Raises
        ------
        ExportRefused
            If the network cannot be written as ONNX.
        ModelDamaged
            If what is kept is no export.
        RuntimeUnavailable
            If what would write it is not installed.
        """
        model, facts = _paths(card, folder)
        # Its facts are written last: with them the export is whole.
        if not facts.exists():
            return cls._write(card, folder)
        network = Network(run_onnx(model, "cpu", Precision.FLOAT32), card)
        try:
            with np.load(facts) as kept:
                original = NetworkAnswer(kept["sensitivities_db"], kept.get("spread_db"))
                return cls(network, original, tuple(kept["ratios"].tolist()))
        except (OSError, ValueError, KeyError) as error:
            raise ModelDamaged(
                f"{facts.name} in the folder {folder.name} is not what was written there: {error}. "
                "Remove it, and it is written anew."
            ) from error

    @classmethod
    def _write(cls, card: ModelCard, folder: Path) -> Self:
        model, facts = _paths(card, folder)
        content = export_to_onnx(card.weights_path)
        folder.mkdir(parents=True, exist_ok=True)
        _put(model, content)
        keras = Network.load(card, "cpu")
        network = Network(run_onnx(model, "cpu", Precision.FLOAT32), card)
        export = cls(network, keras.answer(*probe_eyes(card)), _ratios(card, keras, network))
        _put(facts, export._as_bytes())
        return export

    def _as_bytes(self) -> bytes:
        spread = self.original.spread_db
        values: dict[str, Any] = {} if spread is None else {"spread_db": spread}
        file = io.BytesIO()
        np.savez(
            file,
            sensitivities_db=self.original.sensitivities_db,
            ratios=np.array(self.ratios),
            **values,
        )
        return file.getvalue()


def _paths(card: ModelCard, folder: Path) -> tuple[Path, Path]:
    base = folder / card.digest.removeprefix("sha256:")
    return base.with_suffix(".onnx"), base.with_suffix(".npz")


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: several workers may do so at once."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".incoming")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)


def _ratios(card: ModelCard, keras: Network, network: Network) -> tuple[float, ...]:
    found = []
    for size in TIMED_BATCHES:
        eyes = probe_eyes(card, size)
        # In turn, so that whatever else the machine does slows both.
        spent = [(_seconds(keras, eyes), _seconds(network, eyes)) for _ in range(_REPEATS)]
        before, after = (statistics.median(times) for times in zip(*spent, strict=True))
        found.append(before / after)
    return tuple(found)


def _seconds(network: Network, eyes: tuple[NDArray[np.float32], NDArray[np.float32]]) -> float:
    started = time.perf_counter()
    network.answer(*eyes)
    return time.perf_counter() - started
