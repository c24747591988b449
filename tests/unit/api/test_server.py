import socket
import threading
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.server import AddressUnavailable, serve
from core.database import Database
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.fixtures.http_server import http_server


def test_server_answers_at_the_port_it_announces_and_stops(
    settings: Settings, database: Database
) -> None:
    with http_server(settings, database, Storage(settings.storage)) as url:
        assert httpx.get(f"{url}/health/live").json() == {"status": "live", "checks": {}}

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health/live")


def test_server_names_an_address_that_is_taken(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        occupied = settings.model_copy(update={"http_port": port})
        app = create_app(occupied, database, Storage(settings.storage))

        with pytest.raises(AddressUnavailable, match=f"port {port}.*http_port"):
            serve(app, occupied, lambda _: None, threading.Event())
