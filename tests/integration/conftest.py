from collections.abc import Callable

import pytest

from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from tests.fixtures.certificates import make_authority
from tests.fixtures.clockwork import Clockwork
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
