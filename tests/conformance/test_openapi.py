"""Schemathesis against the running server: no request it can think of is a server error.

Asked without authentication, and as each role: what a role may not is answered as the document
says, too.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.conftest import REPOSITORY
from tests.fixtures.http_server import http_server

CHECKS = ",".join(
    (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )
)
#: None: where authentication is off.
CALLERS = [None, *Role]
#: Who may everything, and nothing of patients; the others lie between.
ALWAYS = (Role.ADMINISTRATOR, Role.RESEARCHER)
QUICK = ["--phases", "fuzzing", "--max-examples", "2"]
LONG = ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "40"]


@pytest.fixture
def storage(settings: Settings) -> Storage:
    opened = Storage(settings.storage)
    opened.prepare()
    return opened


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "role",
    [pytest.param(r, marks=[] if r in ALWAYS else [pytest.mark.slow]) for r in CALLERS],
)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(QUICK, id="quick"),
        pytest.param(LONG, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)
def test_every_request_has_an_answer_of_the_document(
    settings: Settings,
    database: Database,
    storage: Storage,
    tmp_path: Path,
    options: list[str],
    role: Role | None,
) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(), None)
        key = create_key(session, role, role) if role else ""
    asked = _of_role(settings) if role else settings
    with http_server(asked, database, storage) as url:
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("st")), "run", f"{url}/openapi.json"),
                *(
                    "--no-color",
                    "--request-timeout",
                    "60",
                    "--seed",
                    "1",
                    "--checks",
                    CHECKS,
                    *options,
                ),
                # In both headers: else it tries one with values of its own, all of them wrong.
                *(("--header", f"X-API-Key: {key}") if key else ()),
                *(("--header", f"Authorization: Bearer {key}") if key else ()),
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "SCHEMATHESIS_HOOKS": "tests.conformance.schemathesis_hooks",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def _of_role(settings: Settings) -> Settings:
    # It asks as often as it can, and now and then with a wrong key.
    limits = {"requests_per_minute": 0, "login_failures": 1_000_000}
    return settings.model_copy(update={"auth": "keys", **limits})
