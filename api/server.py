"""Running the application on an address until asked to stop; announces the port it really has."""

import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import Final

import uvicorn
from fastapi import FastAPI

from api.events.streams import EventStreams
from core.errors import NodeError
from core.settings import Settings
from core.tls import server_context

#: Seconds an answer under way may take once the node is stopping.
GRACE_SECONDS: Final = 5


class AddressUnavailable(NodeError):
    """The HTTP address cannot be listened on; choose another http_host or http_port."""


def serve(
    app: FastAPI, settings: Settings, announce: Callable[[int], None], stopping: threading.Event
) -> None:
    """Answer requests until `stopping` is set, then let those under way finish.

    By HTTPS where the settings name a certificate, else by HTTP.

    Parameters
    ----------
    announce
        Called once with the port, when requests are answered; `http_port` 0 takes a free one.

    Raises
    ------
    AddressUnavailable
        If the address is taken or not of this machine.
    CertificateUnusable
        If the settings name a certificate that cannot be used.
    """
    # People and programs show a key instead of a certificate.
    tls = server_context(settings, asks_for_certificate=False) if settings.tls_cert else None
    with _listen(settings.http_host, settings.http_port) as listener:
        config = uvicorn.Config(
            app,
            # Our own logs, and no line per request: paths of the API name patients.
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            # uvicorn would believe whoever is on this machine.
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_context_factory=(lambda *_: tls) if tls is not None else None,
        )
        port = listener.getsockname()[1]
        on_stop = partial(_end_streams, app)
        _Server(config, lambda: announce(port), on_stop, stopping).run(sockets=[listener])


def _end_streams(app: FastAPI) -> None:
    streams: EventStreams | None = getattr(app.state, "event_streams", None)
    if streams is not None:
        streams.close()


class _Server(uvicorn.Server):
    """uvicorn that stops by an event, and leaves the signals to the process that runs it."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
        stopping: threading.Event,
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before it waits for answers under way: some have no end of their own.
        self._on_stop()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stopping.is_set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise AddressUnavailable(
            f"HTTP cannot listen on {host} port {port} ({error.strerror}); "
            "choose another http_host or http_port"
        ) from error
    # Taken over by each connection. asyncio sets it only on sockets that name their protocol; else
    # a body written after its headers waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
