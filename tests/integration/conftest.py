from collections.abc import Callable, Iterator

import pytest

from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from tests.conftest import miss
from tests.fixtures.certificates import make_authority
from tests.fixtures.clockwork import Clockwork
from tests.fixtures.gate import Gate, gate_before
from tests.fixtures.object_store import CREDENTIALS, ObjectStore, find_program, object_store
from tests.fixtures.tls import Keys


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], None]) -> Keys:
    need("openssl")
    authority = make_authority(tmp_path_factory.mktemp("keys") / "authority")
    return Keys(authority, authority.issue("server", rsa=True), authority.issue("device", rsa=True))


@pytest.fixture
def clockwork(database: Database, settings: Settings) -> Clockwork:
    return Clockwork(database, settings, utc_now())


@pytest.fixture
def tls_settings(settings: Settings, keys: Keys) -> Settings:
    named = {
        "dicom_tls_port": 0,
        "tls_cert": str(keys.server.path),
        "tls_key": str(keys.server.key),
        "tls_client_ca": str(keys.authority.certificate.path),
    }
    return settings.model_copy(update=named)


@pytest.fixture(scope="session")
def objects() -> Iterator[ObjectStore]:
    """An object store that speaks S3, with an empty bucket."""
    program = find_program()
    if program is None:
        miss("the program weed (SeaweedFS)")
    with object_store(str(program)) as running:
        yield running


@pytest.fixture
def gate(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The way to the object store, which can be shut, and credentials for it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with gate_before(objects.port) as standing:
        yield standing
