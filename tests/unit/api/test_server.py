import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.responses import StreamingResponse

from api.app import create_app
from api.server import AddressUnavailable, serve
from core.database import Database
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.fixtures.certificates import calling_context, make_authority
from tests.fixtures.http_server import http_server, serving
from tests.fixtures.logs import configured_logs


def test_server_answers_at_the_port_it_announces_and_stops(
    settings: Settings, database: Database
) -> None:
    with http_server(settings, database, Storage(settings.storage)) as url:
        assert httpx.get(f"{url}/health/live", timeout=60).json() == {
            "status": "live",
            "checks": {},
        }

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health/live", timeout=60)


def test_server_with_a_certificate_speaks_https_only(
    settings: Settings, database: Database, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("openssl")
    authority = make_authority(tmp_path / "keys")
    certificate = authority.issue("server")
    files = {"tls_cert": str(certificate.path), "tls_key": str(certificate.key)}
    # Which devices must show a certificate is nothing to browsers.
    files["tls_client_ca"] = str(authority.certificate.path)
    encrypted = settings.model_copy(update=files)
    with http_server(encrypted, database, Storage(settings.storage)) as url:
        context = calling_context(authority, None)
        assert (
            httpx.get(f"{url}/health/live", verify=context, timeout=60).json()["status"] == "live"
        )
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url.replace('https', 'http')}/health/live", timeout=60)


def test_server_names_an_address_that_is_taken(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        occupied = settings.model_copy(update={"http_port": port})
        app = create_app(occupied, database, Storage(settings.storage))

        with pytest.raises(AddressUnavailable, match=f"port {port}.*http_port"):
            serve(app, occupied, lambda _: None, threading.Event())


@pytest.mark.parametrize("where", ["before", "behind"])
def test_server_logs_type_and_place_of_what_broke_and_no_patient(
    settings: Settings, database: Database, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    def fail() -> Iterator[str]:
        if where == "before":
            raise ValueError("cannot read Sample^Eye")
        return begin()

    def begin() -> Iterator[str]:
        yield "begun"
        raise ValueError("cannot read Sample^Eye")

    app = create_app(settings, database, Storage(settings.storage))
    app.add_api_route("/broken", lambda: StreamingResponse(fail()))

    with configured_logs("serve"), serving(app, settings) as url:
        if where == "before":
            assert httpx.get(f"{url}/broken", timeout=60).status_code == 500
        else:
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(f"{url}/broken", timeout=60)

    written = capsys.readouterr().err
    assert "Sample^Eye" not in written
    [told] = [line for line in map(json.loads, written.splitlines()) if "place" in line]
    assert (told["error"], told["level"]) == ("ValueError", "error")
    assert "test_server.py" in told["place"][-1]
