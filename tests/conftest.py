import os
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile, which

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import make_url

from core.database import Database
from core.migrations.schema import migrate
from core.settings import Settings
from tests.fixtures.patient_data import leaks
from tests.fixtures.postgres import postgres_server

REPOSITORY = Path(__file__).parent.parent

# Of a machine that does much else, no example is too slow; the rest is as it is, in CI by its own.
hypothesis_settings.register_profile(
    "busy",
    hypothesis_settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("busy")

#: Where the statements themselves are tried: on both databases by day. Everywhere else, where they
#: are a means, SQLite is enough by day.
BOTH_DATABASES_BY_DAY = (
    *("unit/core", "unit/dicom_node/storage", "unit/inference/test_analysis.py"),
    *("unit/dicom_node/rollup", "unit/dicom_node/delivery/test_delivering.py"),
    *("unit/dicom_node/delivery/test_lock_order.py", "unit/api/test_sessions.py"),
    *("integration/test_find.py", "integration/test_find_many.py::test_selective_queries"),
    *("integration/test_lookup_plans.py", "integration/test_node.py::test_real_circle_scan"),
    "integration/test_node.py::test_worker_killed",
    *("integration/test_node_killed.py", "integration/test_store_killed.py"),
    *("integration/test_database_away.py", "integration/test_postgres_stopped.py"),
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the second database of the other files to `make test-slow`."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        place = f"{item.path.relative_to(Path(__file__).parent).as_posix()}::{item.name}"
        kinds = [parameters.get(name) for name in ("database_url", "database", "node")]
        is_second = "postgresql" in kinds
        if is_second and not place.startswith(BOTH_DATABASES_BY_DAY):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail whatever test lets a patient's name, ID or birth date into what the node writes."""
    report = yield
    check_for_patient_data(report)
    return report


def check_for_patient_data(report: pytest.TestReport) -> None:
    """Fail a test whose captured output, that of its processes too, names a patient."""
    if report.outcome != "passed":
        return
    found = [
        f"{title}: {line}"
        for title, text in report.sections
        if title.startswith("Captured")
        for line in text.splitlines()
        if leaks(line)
    ]
    if found:
        report.outcome = "failed"
        report.longrepr = "\n".join(["A patient is named in what was written:", *found])


def miss(what: str) -> None:
    """Skip because something is missing here; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def need() -> Callable[[str], None]:
    """`need("dciodvfy")` skips visibly where that program is not on PATH, and fails in CI."""

    def check(program: str) -> None:
        if which(program) is None:
            miss(f"the program {program}")

    return check


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(os.environ.get("ARCUATE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        miss(f"the public test data ({folder})")
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a migrated template database on a PostgreSQL server."""
    with postgres_server() as server:
        if server is None:
            miss("PostgreSQL")
        name = f"arcuate_template_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = make_url(server).set(database=name, drivername="postgresql+psycopg")
        template = Database(url.render_as_string(hide_password=False))
        migrate(template)
        template.close()
        yield url.render_as_string(hide_password=False)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, closed SQLite file to copy from."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@contextmanager
def empty_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> Generator[str]:
    """Make an empty, migrated database of a kind; yield its URL. In a folder where it is a file."""
    if kind == "sqlite":
        path = folder / "arcuate.db"
        copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template = make_url(request.getfixturevalue("postgres_url"))
    name = f"arcuate_test_{uuid.uuid4().hex[:12]}"
    admin = template.set(database="postgres", drivername="postgresql")
    with psycopg.connect(
        admin.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template.database}")
        yield template.set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database: each test runs on SQLite and on PostgreSQL."""
    with empty_database(request, request.param, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, migrated database."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a throw-away node on free ports."""
    return Settings(
        home=tmp_path / "home", database_url=database_url, dicom_port=0, http_port=0, auth="none"
    )
