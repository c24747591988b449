"""Computes on a server of the Open Inference Protocol: KServe, Triton or another node."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsInvalid
from core.logs import get_logger
from core.settings import Settings
from core.tls import harden, load_authorities
from inference.errors import ModelDamaged
from inference.executors.comparison import compare_with_local
from inference.executors.tensor_client import TensorClient
from inference.model_card import ModelCard
from inference.runtimes.compiled_network import DeviceUsed, Port
from inference.runtimes.network import BATCH_SIZES, NetworkAnswer
from inference.runtimes.ports import match_inputs, match_outputs

_FLOAT: Final = "FP32"

_log = get_logger(__name__)


def open_server(settings: Settings) -> "Server":
    """Return the server of the settings; it is not asked yet.

    Raises
    ------
    SettingsInvalid
        If its key or its authorities cannot be read.
    """
    key = _read_key(settings.executor_key_file)
    client = httpx.Client(
        base_url=settings.executor_url,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=settings.executor_seconds,
        # A connection for each group: one that idles may have ended when it is wanted.
        limits=httpx.Limits(max_keepalive_connections=0),
        verify=_trusted(settings.executor_ca),
        # Of what the operator's shell says about proxies nothing is known here.
        trust_env=False,
    )
    return Server(TensorClient(client))


@dataclass(frozen=True)
class Server:
    """A server that computes."""

    client: TensorClient

    def network(self, card: ModelCard) -> "RemoteNetwork":
        """Return the network of a card, compared with the weights that lie here.

        Raises
        ------
        ModelNotFound
            If the server has no such model.
        ModelDamaged
            If its model takes or gives something else, or other fields than the weights here.
        ExecutorAway
            If it does not answer.
        """
        server = self.client.server()
        version = self._version(card)
        told = self.client.model(card.name, version)
        network = RemoteNetwork(self.client, card, version, server, told)
        _check_digest(card, told)
        compare_with_local(card, network)
        return network

    def _version(self, card: ModelCard) -> str | None:
        """Return the card's version where the server knows it; else None, which means its own.

        Triton counts versions by whole numbers. Whether its model is the card's shows in its
        answers.
        """
        versions = self.client.model(card.name, None).get("versions") or []
        return card.version if card.version in versions else None


class RemoteNetwork:
    """A network on a server, with the inputs and outputs of its card.

    Parameters
    ----------
    version
        What the server calls the version; None for the one it has.
    server, told
        What the server says of itself, and of the model.

    Raises
    ------
    ModelDamaged
        If the model does not take and give what the card says.
    """

    def __init__(
        self,
        client: TensorClient,
        card: ModelCard,
        version: str | None,
        server: Mapping[str, Any],
        told: Mapping[str, Any],
    ) -> None:
        label = f"{card.name} on the server that computes"
        inputs, outputs = _ports(told, "inputs", label), _ports(told, "outputs", label)
        self._client = client
        self._name, self._version = card.name, version
        self._order = match_inputs(card.inputs, inputs, label)
        self._inputs = [port.name for port in inputs]
        field, spread = match_outputs(outputs, card.output_layer, label)
        self._field = outputs[field].name
        self._spread = None if spread is None else outputs[spread].name
        if card.intervals.needs_spread and self._spread is None:
            raise ModelDamaged(
                f"The intervals of {card.name} {card.version} are factors of its spread, and "
                f"{label} gives none. Load it there with its output `spread`."
            )
        self._is_binary = "binary_tensor_data" in (server.get("extensions") or [])
        software = f"{server.get('name', 'a server')} {server.get('version', '')}".strip()
        self._device_used = DeviceUsed("remote", f"{software}, Open Inference Protocol")

    @property
    def device_used(self) -> DeviceUsed:
        """The server."""
        return self._device_used

    def answer(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> NetworkAnswer:
        """Return what the network says.

        Parameters are those of `Network.answer`.

        Raises
        ------
        PredictionFailed
            If the server could not compute.
        ExecutorAway
            If it does not answer: no eye is to blame.
        """
        largest = BATCH_SIZES[-1]
        parts = [
            self._ask(structure[start : start + largest], age_years[start : start + largest])
            for start in range(0, len(structure), largest)
        ]
        field = np.concatenate([given[self._field] for given in parts])
        if self._spread is None:
            return NetworkAnswer(field)
        return NetworkAnswer(field, np.concatenate([given[self._spread] for given in parts]))

    def _ask(
        self, structure: NDArray[np.float32], age_years: NDArray[np.float32]
    ) -> dict[str, NDArray[np.float32]]:
        known = (structure, age_years[:, np.newaxis])
        inputs = {
            name: np.ascontiguousarray(known[index], np.float32)
            for name, index in zip(self._inputs, self._order, strict=True)
        }
        outputs = [self._field, *([] if self._spread is None else [self._spread])]
        return self._client.infer(self._name, self._version, inputs, outputs, self._is_binary)


def _ports(told: Mapping[str, Any], side: str, label: str) -> Sequence[Port]:
    try:
        entries = [(e["name"], e["datatype"], [int(n) for n in e["shape"]]) for e in told[side]]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelDamaged(f"{label} does not say which {side} it has") from error
    if any(datatype != _FLOAT or not shape for _, datatype, shape in entries):
        raise ModelDamaged(f"{label} has {side} that are not {_FLOAT} for any number of eyes")
    return [
        Port(str(name), tuple(None if length < 0 else length for length in shape[1:]))
        for name, _, shape in entries
    ]


def _check_digest(card: ModelCard, told: Mapping[str, Any]) -> None:
    """Refuse another model's weights, where the server says which it has, as a node does."""
    digest = (told.get("parameters") or {}).get("digest", card.digest)
    if digest != card.digest:
        raise ModelDamaged(
            f"The server that computes has {card.name} with other weights ({digest}) than those "
            f"here ({card.digest}): install the same there"
        )


def _read_key(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"executor_key_file {path} cannot be read") from error


def _trusted(authorities: str) -> ssl.SSLContext:
    context = harden(ssl.create_default_context())
    if authorities:
        load_authorities(context, "executor_ca", authorities)
    return context
