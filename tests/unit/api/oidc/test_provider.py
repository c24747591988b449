"""How often a provider that is down is asked."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from api.errors import ProviderAway
from api.oidc.provider import Provider
from core.settings import Settings


class _Broken(BaseHTTPRequestHandler):
    """A provider that answers nothing but that it is broken."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[str]:
    _Broken.asked = 0
    with HTTPServer(("127.0.0.1", 0), _Broken) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_provider_that_is_down_is_not_asked_by_every_token(settings: Settings, issuer: str) -> None:
    now = [0.0]
    provider = Provider(settings.model_copy(update={"oidc_issuer": issuer}), clock=lambda: now[0])

    def ask() -> int:
        with pytest.raises(ProviderAway):
            provider.keys("a")
        return _Broken.asked

    assert [ask(), ask(), ask()] == [1, 1, 1]
    now[0] += 5.0
    assert [ask(), ask()] == [2, 2]
