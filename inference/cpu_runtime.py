"""What runs a model on the processor: Keras, or ONNX Runtime where it gives the same fields."""

from typing import Final

from core.logs import get_logger
from core.metrics.gpus import read_gpus
from core.settings import Settings
from inference.errors import ExportRefused, ModelDamaged, PredictionFailed, RuntimeUnavailable
from inference.exported import Export
from inference.model_card import ModelCard, ModelFormat
from inference.precision import load_network
from inference.predictor import Predictor
from inference.probe import largest_difference_db, probe_eyes
from inference.runtimes.network import Network

_log = get_logger(__name__)

#: Sums are added in another order; what may be left of that, in dB.
EQUAL_DB: Final = 1e-4

#: The home that cannot be written to is told of elsewhere; it must not keep a model from scoring.
_REFUSALS: Final = (ExportRefused, ModelDamaged, PredictionFailed, RuntimeUnavailable, OSError)


def load_predictor(card: ModelCard, settings: Settings) -> Predictor:
    """Return a predictor on what the settings ask for, warm.

    Errors are those of `Predictor.load`.
    """
    card.verify_weights()
    return Predictor(card, load_network_here(card, settings))


def load_network_here(card: ModelCard, settings: Settings) -> Network:
    """Return the network of a card whose weights were verified.

    Where ONNX Runtime is asked for and cannot give the same, the log says why and Keras runs.
    Errors are those of `Network.load`.
    """
    if settings.cpu_runtime == "tensorflow" or not _is_for_processor(card, settings):
        return load_network(card, settings.device)
    return _exported(card, settings) or load_network(card, settings.device)


def equal_export(export: Export, card: ModelCard) -> Network:
    """Return the network of an export that gives the fields of the original.

    Raises
    ------
    ExportRefused
        If its fields are others.
    """
    apart_db = largest_difference_db(export.network.answer(*probe_eyes(card)), export.original)
    if not apart_db <= EQUAL_DB:
        raise ExportRefused(
            f"{card.name} {card.version} gives fields up to {apart_db:.3g} dB apart on ONNX "
            f"Runtime; {EQUAL_DB} dB is allowed."
        )
    return export.network


def _exported(card: ModelCard, settings: Settings) -> Network | None:
    """Return the network on ONNX Runtime; None where Keras is to run it."""
    try:
        export = Export.open(card, settings.home / "exports")
        network = equal_export(export, card)
    except _REFUSALS as error:
        _log.warning("onnx_runtime_not_used", model=card.name, cause=str(error))
        return None
    return network if settings.cpu_runtime == "onnx" or min(export.ratios) > 1 else None


def _is_for_processor(card: ModelCard, settings: Settings) -> bool:
    """Whether it is a Keras file for the processor; no library is asked, as that takes long."""
    is_processor = settings.device == "cpu" or (settings.device == "auto" and not read_gpus())
    return card.format is ModelFormat.KERAS and is_processor
