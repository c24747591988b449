"""How often a provider that is down is asked, and who waits for one that does not answer."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc.jwk import OKPKey

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


class _Withholding(ThreadingHTTPServer):
    """A provider with one key, that takes requests and answers while it is let."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Slow)
        self.answers, self.asked = threading.Event(), threading.Event()
        key = OKPKey.generate_key("Ed25519", {"kid": "a"}, private=False)
        issuer = self.issuer = f"http://127.0.0.1:{self.server_port}"
        addresses = {name: f"{issuer}/{name}" for name in ("authorization", "token")}
        self.told: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": issuer,
                "jwks_uri": f"{issuer}/keys",
                **{f"{name}_endpoint": address for name, address in addresses.items()},
            },
            "/keys": {"keys": [key.as_dict(private=False)]},
        }


class _Slow(BaseHTTPRequestHandler):
    server: _Withholding

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.answers.wait()
        body = json.dumps(self.server.told[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[_Withholding]:
    with _Withholding() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield server
        server.answers.set()
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("key_id", ["a", "b"])
def test_who_has_what_still_holds_waits_for_nobody_who_asks(
    settings: Settings, slow: _Withholding, key_id: str
) -> None:
    now = [0.0]
    known = settings.model_copy(update={"oidc_issuer": slow.issuer})
    provider = Provider(known, clock=lambda: now[0])
    slow.answers.set()
    provider.keys("a")
    slow.answers.clear()
    slow.asked.clear()
    # Where it is old, it is asked for again, and where a token names a key that is new.
    now[0] += 600.0 if key_id == "a" else 20.0
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(provider.keys, key_id)
        assert slow.asked.wait(60)

        found = [provider.keys("a") for _ in range(50)]

        assert not asking.done()
        assert {key.kid for keys in found for key in keys} == {"a"}
        slow.answers.set()


def test_who_knows_nothing_waits_for_the_first_answer_and_for_no_second_one(
    settings: Settings, slow: _Withholding
) -> None:
    known = settings.model_copy(update={"oidc_issuer": slow.issuer})
    now = [0.0]
    provider = Provider(known, clock=lambda: now[0])
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(provider.keys, "a") for _ in range(4)]
        assert slow.asked.wait(60)
        slow.answers.set()
        assert [key.kid for one in waiting for key in one.result()] == ["a"] * 4

    now[0] += 3600.0
    provider.settings = known.model_copy(update={"oidc_issuer": f"{slow.issuer}/other"})
    slow.told["/other/.well-known/openid-configuration"] = {}
    with pytest.raises(ProviderAway):
        provider.keys("a")
    now[0] += 5.0
    slow.answers.clear()
    slow.asked.clear()
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(provider.keys, "a")
        assert slow.asked.wait(60)
        with pytest.raises(ProviderAway):
            provider.keys("a")
        assert not asking.done()
        slow.answers.set()
        assert isinstance(asking.exception(), ProviderAway)
