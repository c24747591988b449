"""Every command as people and programs call it: a process, its exit code and what it prints."""

import csv
import io
import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from pydicom import dcmread

from arcuate.node import prepare_node
from arcuate.roles import Role
from core.clock import utc_now
from core.ledger import enqueue
from core.lockouts import Pauses, record_failure
from core.perimetry.rnfl import normal_profile_um
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tls import read_fingerprint
from core.values.profile import PROFILE_SAMPLES
from tests.builders.kept_study import days_ago, keep_raw, keep_scan, path
from tests.builders.received import open_test_archive
from tests.conftest import REPOSITORY
from tests.fixtures.certificates import make_authority
from tests.fixtures.node import DEVICE, RunningNode, running_node
from tests.fixtures.warm_command import run_command

SAMPLES = REPOSITORY / "sample_dicom"
TIMEOUT_SECONDS = 200
_ROLES = ("receive", "infer", "deliver", "serve")


@dataclass(frozen=True)
class Called:
    """How a call of the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.out)))


@dataclass(frozen=True)
class Terminal:
    """Calls `arcuate` in a folder, for one node's home."""

    folder: Path
    home: Path

    def __call__(self, *words: object, **settings: object) -> Called:
        ours = {"HOME": self.home, "LOG_LEVEL": "warning"} | settings
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ARCUATE_")}
        environment |= {f"ARCUATE_{name.upper()}": str(value) for name, value in ours.items()}
        run = run_command([str(word) for word in words], self.folder, environment, TIMEOUT_SECONDS)
        # Nobody at a terminal shall ever read one.
        assert "Traceback" not in run.stderr, run.stderr
        return Called(run.returncode, run.stdout, run.stderr)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A terminal in an empty folder, where there is no node yet."""
    return Terminal(tmp_path, tmp_path / "home")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node without its scoring roles: what is tested here needs none of them."""
    settings = Settings(
        home=tmp_path_factory.mktemp("node"),
        dicom_port=0,
        http_port=0,
        auth="none",
        log_level="warning",
    )
    with running_node(settings, roles=(Role.RECEIVE, Role.SERVE)) as running:
        yield running


@pytest.fixture
def node_terminal(node: RunningNode, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, node.settings.home)


@pytest.fixture
def circle(shared_data: Path) -> Path:
    return shared_data / "oct" / "spectralis_circle_od"


def write_profiles(path: Path, *lines: Sequence[object]) -> Path:
    header = ["eye_id", "laterality", "age_years"]
    header += [f"p{sample:03d}" for sample in range(PROFILE_SAMPLES)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def fail_a_job(home: Path) -> None:
    database = prepare_node(Settings(home=home)).database
    with database.transaction() as session:
        enqueue(session, JobKind.ANALYSE, "1")
    with database.transaction() as session:
        job = session.get_one(JobRow, 1)
        job.status, job.error, job.attempts = JobStatus.FAILED, "broke", 3
    database.close()


def test_schema_is_made_and_checked(terminal: Terminal) -> None:
    before = terminal("migrate", "--check")
    made = terminal("migrate")
    after = terminal("migrate", "--check")

    assert (before.code, made.code, after.code) == (1, 0, 0)
    assert before.out == "There is no database yet: `arcuate migrate` makes it.\n"
    assert after.out == "The schema is current.\n"


def test_missing_node_is_told_and_not_made(terminal: Terminal) -> None:
    called = terminal("peers", "list")

    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("arcuate: There is no node in ")
    assert not terminal.home.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "admin"),
        ("peers", "add", "OCT1", "--host", "*"),
        ("destinations", "add", "share", "folder", "/share"),
        ("models", "activate", "retinervenet"),
    ],
)
def test_no_second_node_is_made_where_no_setting_names_one(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    unset = {name: value for name, value in os.environ.items() if not name.startswith("ARCUATE_")}

    called = run_command(words, terminal.folder, unset, TIMEOUT_SECONDS)

    assert called.returncode == 1
    assert called.stderr.startswith("arcuate: There is no node in ")
    assert list(terminal.folder.iterdir()) == []


def test_peers_are_added_listed_and_removed(terminal: Terminal) -> None:
    added = terminal("peers", "add", "OCT1", "--host", "10.0.0.0/8", "--port", "104")
    listed = terminal("peers", "list", "--json")
    shown = terminal("peers", "list")
    removed = terminal("peers", "remove", "OCT1")
    again = terminal("peers", "remove", "OCT1")
    left = terminal("peers", "list", "--json")

    assert (added.code, listed.code, shown.code, removed.code, again.code) == (0, 0, 0, 0, 1)
    (peer,) = listed.json
    assert (peer["ae_title"], peer["host"], peer["port"]) == ("OCT1", "10.0.0.0/8", 104)
    assert [line.split()[:3] for line in shown.out.splitlines()[1:]] == [
        ["OCT1", "10.0.0.0/8", "104"]
    ]
    assert again.err == "arcuate: There is no peer OCT1; `arcuate peers list` shows all\n"
    assert left.json == []


def test_rhythm_of_a_peer_is_kept_until_never(terminal: Terminal) -> None:
    add = ("peers", "add", "OCT1", "--host", "*")
    terminal(*add, "--expect-every", "24h", "--expect-days", "mon-fri")
    terminal(*add, "--port", "104")
    (kept,) = terminal("peers", "list", "--json").json
    terminal(*add, "--expect-every", "never")
    (free,) = terminal("peers", "list", "--json").json

    assert (kept["expect_every_seconds"], kept["expect_days"]) == (86_400, "mon-fri")
    assert (kept["silent_since"], kept["last_object_at"]) == (None, None)
    assert (free["expect_every_seconds"], free["expect_days"]) == (None, "")


def test_peer_is_bound_to_its_certificate(terminal: Terminal, need: Callable[[str], None]) -> None:
    need("openssl")
    certificate = make_authority(terminal.folder / "keys").issue("device").path

    added = terminal("peers", "add", "OCT1", "--host", "*", "--certificate", certificate)

    (peer,) = terminal("peers", "list", "--json").json
    assert added.out == "OCT1 may call from *, over DICOM TLS with its certificate.\n"
    assert peer["certificate_sha256"] == read_fingerprint(certificate.read_bytes())


def test_peer_is_called_over_tls_until_it_is_said_otherwise(terminal: Terminal) -> None:
    add = ("peers", "add", "PACS", "--host", "127.0.0.1", "--port", 2762)

    marked = terminal(*add, "--tls")
    again = terminal(*add)
    echoed = terminal("peers", "echo", "PACS")
    sent = terminal("send", terminal.folder, "--to", "PACS")
    unmarked = terminal(*add, "--no-tls")

    assert marked.out == again.out
    assert marked.out.endswith(" We call its port 2762 over TLS.\n")
    assert unmarked.out == "PACS may call from 127.0.0.1.\n"
    # Nothing says whom to trust: the remedy, not a plain call.
    assert (echoed.code, "set tls_peer_ca" in echoed.err) == (2, True)
    assert (sent.code, "There was no DICOM file." in sent.err) == (1, True)


@pytest.mark.parametrize("role", ["receive", "serve", "up"])
def test_unusable_certificate_is_told_at_the_start(terminal: Terminal, role: str) -> None:
    terminal("migrate")
    files = {"tls_cert": "missing.pem", "tls_key": "missing.key"}

    started = terminal(role, **files)

    assert (started.code, started.out) == (2, "")
    assert "arcuate: tls_cert missing.pem cannot be read: No such file" in started.err


@pytest.mark.parametrize(
    "words",
    [
        ("OCT1", "--host", "127.0.0.1", "--certificate", "missing.pem"),
        ("OCT1", "--host", "no such host"),
        ("OCT1", "--host", "*", "--expect-every", "often"),
        ("OCT1", "--host", "*", "--expect-every", "24h", "--expect-days", "weekdays"),
        ("OCT1", "--host", "*", "--expect-days", "mon-fri"),
        ("BACK\\SLASH", "--host", "127.0.0.1"),
    ],
)
def test_malformed_peer_is_wrong_use(terminal: Terminal, words: Sequence[str]) -> None:
    assert terminal("peers", "add", *words).code == 2


def test_refused_caller_is_let_in_and_its_study_arrives(
    node: RunningNode, node_terminal: Terminal
) -> None:
    call = ("send", SAMPLES / "healthy", "--to", node.peer, "--calling", "NEWDEVICE")

    refused = node_terminal(*call)
    callers = node_terminal("peers", "callers", "--json").json
    node_terminal("peers", "add", "NEWDEVICE", "--host", "127.0.0.1")
    sent = node_terminal(*call)

    assert (refused.code, sent.code) == (1, 0)
    assert refused.err.endswith("rejected the association: Calling AE title not recognised\n")
    assert [(c["calling_ae_title"], c["address"]) for c in callers] == [("NEWDEVICE", "127.0.0.1")]
    assert [line.split()[0] for line in sent.out.splitlines()] == ["kept"] * 4
    uid = str(dcmread(SAMPLES / "healthy" / "right_oct.dcm").StudyInstanceUID)
    assert len(node.get(f"/v1/studies/{uid}/instances")["items"]) == 4


def test_file_that_is_no_dicom_fails_by_name_and_is_left_out_of_a_folder(
    node: RunningNode, node_terminal: Terminal
) -> None:
    folder = node_terminal.folder / "scans"
    folder.mkdir()
    (folder / "scan").write_bytes((SAMPLES / "no_pixels" / "left_oct.dcm").read_bytes())
    (folder / "notes.txt").write_text("notes")
    call = ("--to", node.peer, "--calling", DEVICE, "--json")

    by_folder = node_terminal("send", folder, *call)
    by_name = node_terminal("send", folder / "notes.txt", folder / "scan", *call)

    assert (by_folder.code, by_name.code) == (0, 1)
    assert {Path(o["path"]).name: o["outcome"] for o in by_folder.json} == {
        "scan": "kept",
        "notes.txt": "left out",
    }
    assert {Path(o["path"]).name: o["outcome"] for o in by_name.json} == {
        "scan": "kept",
        "notes.txt": "FAILED",
    }


def test_peer_is_asked_whether_it_answers(node: RunningNode, node_terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        unused = closed.getsockname()[1]
    own = node.settings.ae_title
    node_terminal("peers", "add", own, "--host", "127.0.0.1", "--port", node.peer.port)
    node_terminal("peers", "add", "AWAY", "--host", "127.0.0.1", "--port", unused)

    answered = node_terminal("peers", "echo", own, "--json")
    away = node_terminal("peers", "echo", "AWAY")
    unknown = node_terminal("peers", "echo", "NOBODY")

    assert (answered.code, away.code, unknown.code) == (0, 1, 1)
    assert answered.json["ae_title"] == own
    assert 0 < answered.json["seconds"] < 60
    assert away.err.startswith(f"arcuate: AWAY@127.0.0.1:{unused} does not answer")


@pytest.mark.parametrize(
    "words",
    [
        (".", "--to", "A@127.0.0.1:99999"),
        ("missing", "--to", "A@127.0.0.1:104"),
        (".", "--to", "A@127.0.0.1:104", "--calling", "LONGER THAN SIXTEEN"),
        (".", "--to", "KNOWN", "--tls"),
        (".", "--to", "A@127.0.0.1:104", "--certificate", "missing.pem"),
    ],
)
def test_malformed_send_is_wrong_use(terminal: Terminal, words: Sequence[str]) -> None:
    assert terminal("send", *words).code == 2


def test_models_are_listed_and_shown(terminal: Terminal) -> None:
    listed = terminal("models", "list", "--json")
    shown = terminal("models", "show", "retinervenet", "--json")
    missing = terminal("models", "show", "retinervenet:99.9")

    active = [model for model in listed.json if model["active"]]
    assert [model["name"] for model in active] == ["retinervenet"]
    assert shown.json["digest"] == active[0]["digest"]
    assert (missing.code, missing.out) == (1, "")
    assert missing.err.startswith("arcuate: No model retinervenet 99.9 is installed.")


# tests/unit/core/test_models.py says the same of the record.
@pytest.mark.slow
def test_models_change_state_only_where_one_goes_on_scoring(
    terminal: Terminal, tmp_path: Path
) -> None:
    active = terminal("models", "show", "retinervenet", "--json").json
    name = f"{active['name']}:{active['version']}"

    retired = terminal("models", "retire", name)
    shadowed = terminal("models", "shadow", name)
    overruled = terminal("models", "activate", name, model="retinervenet:0.0.1")
    activated = terminal("models", "activate", name, "--json")
    unknown = terminal("models", "activate", "nobody")

    codes = [retired.code, shadowed.code, overruled.code, activated.code, unknown.code]
    assert codes == [1, 1, 1, 0, 1]
    assert "`arcuate models activate` another one first" in retired.err
    assert "scores already" in shadowed.err
    assert "ARCUATE_MODEL is retinervenet:0.0.1" in overruled.err
    assert activated.json["digest"] == active["digest"]
    assert unknown.err.startswith("arcuate: No model nobody is installed.")


def test_model_that_is_no_model_is_not_added(terminal: Terminal, tmp_path: Path) -> None:
    card = terminal("models", "show", "retinervenet", "--json").json
    copy = copytree(card["folder"], tmp_path / "copy")
    (copy / card["weights"]).write_bytes(b"changed")
    (tmp_path / "empty").mkdir()

    changed = terminal("models", "add", copy)
    empty = terminal("models", "add", tmp_path / "empty")
    missing = terminal("models", "add", tmp_path / "nothing")

    assert (changed.code, empty.code, missing.code) == (1, 1, 2)
    assert "digest" in changed.err
    assert "no readable card.toml" in empty.err
    assert not list((terminal.home / "models").glob("*"))


def test_installed_model_added_again_changes_nothing(terminal: Terminal) -> None:
    card = terminal("models", "show", "retinervenet", "--json").json

    again = terminal("models", "add", card["folder"], "--json")

    assert (again.code, again.json["digest"]) == (0, card["digest"])


def test_keys_are_made_listed_and_revoked(terminal: Terminal) -> None:
    made = terminal("keys", "create", "notebook", "--role", "operator")
    again = terminal("keys", "create", "notebook")
    by_program = terminal("keys", "create", "script", "--json").json
    revoked = terminal("keys", "revoke", "notebook")
    unknown = terminal("keys", "revoke", "nobody")
    listed = terminal("keys", "list", "--json")

    assert (made.code, again.code, revoked.code, unknown.code) == (0, 1, 0, 1)
    assert len(made.out.split()) == 1
    assert (by_program["name"], by_program["role"]) == ("script", "viewer")
    assert [(k["name"], k["role"], k["revoked_at"] is None) for k in listed.json] == [
        ("notebook", "operator", False),
        ("script", "viewer", True),
    ]
    assert made.out.strip() not in listed.out


def test_key_has_several_roles_and_an_end(terminal: Terminal) -> None:
    roles = ("--role", "operator", "--role", "researcher")
    made = terminal("keys", "create", "archive", *roles, "--expires", "30", "--json")
    wrong = [
        terminal("keys", "create", "x", *words).code
        for words in (("--role", "boss"), ("--expires", "0"), ("--expires", "soon"))
    ]
    [listed] = terminal("keys", "list", "--json").json
    shown = terminal("keys", "list")

    assert made.json["roles"] == listed["roles"] == ["operator", "researcher"]
    assert listed["expires_at"] == made.json["expires_at"]
    life = datetime.fromisoformat(listed["expires_at"]) - datetime.fromisoformat(
        listed["created_at"]
    )
    assert life.days == 30
    assert listed["last_used_at"] is None
    assert "operator, researcher" in shown.out
    assert wrong == [2, 2, 2]


def test_link_makes_the_first_administrator_and_then_signs_holders_in(terminal: Terminal) -> None:
    terminal("migrate")
    first = terminal("keys", "link", http_port=9000)
    terminal("keys", "create", "Ada", "--role", "administrator")
    second = terminal("keys", "link")
    of_key = terminal("keys", "link", "Ada", public_url="https://arcuate.example")
    of_nobody = terminal("keys", "link", "Eve")

    assert first.out.startswith("http://127.0.0.1:9000/login?token=")
    assert of_key.out.startswith("https://arcuate.example/login?token=")
    assert "once" in of_key.err
    assert (second.code, second.out) == (1, "")
    assert "arcuate keys link NAME" in second.err
    assert (of_nobody.code, of_nobody.out) == (1, "")


def test_addresses_that_failed_are_listed_and_forgiven(terminal: Terminal) -> None:
    none = terminal("keys", "failures")
    database = prepare_node(Settings(home=terminal.home)).database
    with database.transaction() as session:
        record_failure(session, "10.0.0.7", Pauses(1, 60.0, 60.0), utc_now())
    database.close()

    [listed] = terminal("keys", "failures", "--json").json
    forgiven = terminal("keys", "forgive", "10.0.0.7")
    again = terminal("keys", "forgive", "10.0.0.7")

    assert (none.code, forgiven.code, again.code) == (1, 0, 1)
    assert (listed["address"], listed["failures"]) == ("10.0.0.7", 1)
    assert listed["paused_until"] is not None
    assert terminal("keys", "failures").out.strip() == "There are none."


def test_somebody_is_signed_out_everywhere_by_name(terminal: Terminal) -> None:
    terminal("keys", "create", "Ada")

    assert terminal("keys", "sign-out", "Ada").out == "0 sessions of Ada ended.\n"


def test_failed_job_is_listed_and_tried_again(terminal: Terminal) -> None:
    fail_a_job(terminal.home)

    listed = terminal("jobs", "list", "--status", "failed", "--json")
    retried = terminal("jobs", "retry", "1")
    again = terminal("jobs", "retry", "1")
    after = terminal("jobs", "list", "--json")

    assert [(j["id"], j["kind"], j["error"]) for j in listed.json] == [(1, "analyse", "broke")]
    assert (retried.code, again.code) == (0, 1)
    assert again.err == "arcuate: There is no failed job 1\n"
    assert [(j["status"], j["attempts"]) for j in after.json] == [("queued", 0)]


def test_nothing_is_written_where_the_disk_of_the_storage_is_away(
    terminal: Terminal,
) -> None:
    node = prepare_node(Settings(home=terminal.home))
    keep_raw(open_test_archive(node.settings, node.database), "1", days_ago(1))
    node.database.close()
    node.storage.root.rename(terminal.folder / "unmounted")
    node.storage.root.mkdir()

    called = {
        words: terminal(*words, DICOM_PORT=0, HTTP_PORT=0)
        for words in [("doctor",), ("import", SAMPLES), ("up",), *((role,) for role in _ROLES)]
    }

    told = {words: "mount its disk" in call.out + call.err for words, call in called.items()}
    assert {words for words, is_told in told.items() if not is_told} == set()
    assert {call.code for call in called.values()} == {1}
    assert list(node.storage.root.iterdir()) == []


def test_retention_says_what_would_go_then_removes_it(terminal: Terminal) -> None:
    settings = Settings(home=terminal.home)
    node = prepare_node(settings)
    archive = open_test_archive(settings, node.database)
    old, held = keep_raw(archive, "1", days_ago(9000)), keep_scan(archive, "2", days_ago(8999))
    node.database.close()

    for_ever = terminal("retention")
    foreseen = terminal("retention", "--dry-run", "--json", RETENTION_DAYS=30)
    there_before = path(archive, old).exists()
    done = terminal("retention", RETENTION_DAYS=30, LOG_LEVEL="info")
    again = terminal("retention", "--json", RETENTION_DAYS=30)

    assert (for_ever.code, foreseen.code, done.code, again.code) == (0, 0, 0, 0)
    assert for_ever.out.startswith("Everything is kept for ever: ARCUATE_RETENTION_DAYS")
    assert (foreseen.json["dry_run"], there_before) == (True, True)
    assert [(s["study_instance_uid"], s["reason"]) for s in foreseen.json["removed"]] == [
        ("1.2.1", "age")
    ]
    assert [(s["study_instance_uid"], s["held_by"]) for s in foreseen.json["held"]] == [
        ("1.2.2", ["not_scored"])
    ]
    assert "Removed the files of 1 studies" in done.out
    assert "not_scored: its analysis is not done" in done.out
    assert (path(archive, old).exists(), path(archive, held).exists()) == (False, True)
    [logged] = [line for line in done.err.splitlines() if "study_files_removed" in line]
    assert json.loads(logged)["size_bytes"] == foreseen.json["removed"][0]["size_bytes"]
    assert "Müller" not in done.err
    assert (again.json["removed"], again.json["files_removed"]) == ([], 0)
    archive.database.close()


def test_doctor_of_an_empty_folder_finds_no_fault(terminal: Terminal) -> None:
    called = terminal("doctor", "--json", dicom_port=0, http_port=0)

    health = {finding["check"]: finding["health"] for finding in called.json}
    assert (called.code, health["home"], health["model"]) == (0, "note", "good")
    assert list(terminal.folder.iterdir()) == []


def test_doctor_tells_what_is_wrong(terminal: Terminal) -> None:
    fail_a_job(terminal.home)

    called = terminal("doctor", dicom_port=0, http_port=0)

    assert (called.code, called.out.splitlines()[-1]) == (1, "Wrong: jobs.")


def test_doctor_lists_every_setting_and_no_password(terminal: Terminal) -> None:
    url = "postgresql+psycopg://arcuate:hidden@localhost/arcuate"

    called = terminal(
        *("doctor", "--settings", "--json"),
        database_url=url,
        ae_title="MINE",
        oidc_client_secret="hidden",  # noqa: S106
    )

    values = {row["setting"]: row["value"] for row in called.json}
    assert called.code == 0
    assert set(values) == {f"ARCUATE_{name.upper()}" for name in Settings.model_fields}
    assert values["ARCUATE_AE_TITLE"] == "MINE"
    assert values["ARCUATE_OIDC_CLIENT_SECRET"] == "***"  # noqa: S105
    assert values["ARCUATE_DATABASE_URL"] == "postgresql+psycopg://arcuate:***@localhost/arcuate"


def test_unknown_setting_is_wrong_use_and_the_known_ones_are_still_listed(
    terminal: Terminal,
) -> None:
    called = terminal("doctor", "--settings", "--json", dicom_prot=104)

    assert called.code == 2
    assert "dicom_prot" in called.err
    assert len(called.json) == len(Settings.model_fields)


def test_settings_file_of_the_call_is_read(terminal: Terminal) -> None:
    (terminal.folder / "own.toml").write_text('ae_title = "FROMFILE"')

    read = terminal("--config", "own.toml", "doctor", "--settings", "--json")
    missing = terminal("--config", "missing.toml", "doctor")

    assert {row["setting"]: row["value"] for row in read.json}["ARCUATE_AE_TITLE"] == "FROMFILE"
    assert (missing.code, missing.out) == (2, "")


def test_database_server_that_is_away_is_told(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"postgresql+psycopg://nobody@127.0.0.1:{port}/none"

    called = terminal("peers", "list", database_url=url)

    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("arcuate: The database does not answer")


def test_home_that_is_a_file_is_told(terminal: Terminal) -> None:
    terminal.home.write_text("a file")

    called = terminal("migrate")

    assert (called.code, called.err) == (1, f"arcuate: {terminal.home}: File exists\n")


def test_openapi_document_is_json(terminal: Terminal) -> None:
    called = terminal("openapi")

    assert called.code == 0
    assert "/v1/predictions" in called.json["paths"]


def test_real_scan_is_scored(terminal: Terminal, circle: Path) -> None:
    called = terminal("score", circle)

    (row,) = called.rows
    sensitivities = [float(row[f"s{point}"]) for point in range(1, 53)]
    assert called.code == 0
    assert (row["laterality"], row["status"], row["estimated"]) == ("R", "final", "True")
    assert all(0 <= value <= 40 for value in sensitivities)
    assert called.err == "Eyes: 1 new (1 final, 0 not assessable, 0 failed), 0 there already.\n"


@pytest.mark.slow
def test_samples_are_scored_once(terminal: Terminal) -> None:
    first = terminal("score", SAMPLES, "--out", "scores.csv")
    table = terminal.folder / "scores.csv"
    scored = table.read_bytes()
    second = terminal("score", SAMPLES, "--out", "scores.csv")

    rows = list(csv.DictReader(io.StringIO(scored.decode())))
    outcomes = {str(Path(row["eye_id"]).relative_to(SAMPLES)): row["reasons"] for row in rows}
    manifest = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))
    files = [file for study in manifest["studies"] for file in study["files"]]
    assert (first.code, second.code, first.out) == (0, 0, "")
    assert second.err.endswith(f" {len(rows)} there already.\n")
    assert table.read_bytes() == scored
    assert outcomes == {
        # No model for photographs is active by itself.
        file["path"]: "not_model_input" if file["model"] else file["reason"] or ""
        for file in files
        if file["outcome"] != "not_model_input"
    }


def test_profiles_are_scored(terminal: Terminal) -> None:
    good, bad = ["a", "L", 60, *normal_profile_um(60)], ["b", "L", 60, "thick"]
    profiles = write_profiles(terminal.folder / "profiles.csv", good, bad)

    called = terminal("score", "--profiles", profiles, "--out", "scores.jsonl")

    lines = (terminal.folder / "scores.jsonl").read_text().splitlines()
    assert called.code == 0
    assert [(r["eye_id"], r["status"]) for r in map(json.loads, lines)] == [
        ("a", "final"),
        ("b", "failed"),
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        ((".", "--out", "scores.xlsx"), 2),
        ((".", "--model", "missing"), 1),
        ((".", "--profiles", "six.csv"), 2),
        (("--profiles", "six.csv"), 1),
        ((".",), 1),
    ],
)
def test_score_that_cannot_be_done_says_so(
    terminal: Terminal, words: Sequence[str], code: int
) -> None:
    (terminal.folder / "six.csv").write_text("eye_id,laterality,age_years,T,TS,NS,N,NI,TI\n")

    called = terminal("score", *words)

    assert called.code == code
    assert called.err


def test_demo_of_own_scans_keeps_what_came_back(terminal: Terminal) -> None:
    called = terminal("demo", SAMPLES / "nasal_step", "--json")

    (result,) = called.json
    assert called.code == 0
    assert (result["laterality"], result["status"], result["estimated"]) == ("L", "final", True)
    names = ("report", "document", "picture", "page")
    report, document, picture, page = (terminal.folder / result[name] for name in names)
    assert document.read_bytes().startswith(b"%PDF")
    assert dcmread(report).Modality == "SR"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "not measured" in page.read_text("utf-8")


@pytest.mark.slow
def test_demo_of_the_samples_meets_every_expectation(terminal: Terminal) -> None:
    called = terminal("demo", "--json")

    assert called.code == 0
    assert {result["as_expected"] for result in called.json} == {True}


@pytest.mark.parametrize("words", [("nonsense",), ("jobs", "retry", "x")])
def test_unknown_words_are_wrong_use(terminal: Terminal, words: Sequence[str]) -> None:
    assert terminal(*words).code == 2


def test_every_command_explains_itself(terminal: Terminal) -> None:
    names = ["up", "receive", "infer", "deliver", "serve", "demo", "send", "score", "migrate"]
    names += ["import", "retrieve", "watch"]
    names += ["doctor", "openapi", "peers", "models", "jobs", "keys", "bench"]
    names += ["destinations", "rules", "deliveries"]

    overview = terminal("--help").out

    assert [name for name in names if f" {name} " not in overview] == []


def test_simulated_eyes_are_scored_from_the_file_they_were_written_to(terminal: Terminal) -> None:
    simulated = terminal("simulate", "eyes.csv", "--eyes", 20, "--healthy", 1, "--sectors")
    scored = terminal("score", "--profiles", "eyes.csv")

    assert (simulated.code, scored.code) == (0, 0)
    assert "20 simulated eyes, 100.0% healthy" in simulated.err
    assert [row["profile_from"] for row in scored.rows] == ["sectors"] * 20
    # The gate may take one eye of very thick fibres for a swollen disc.
    assert [row["status"] for row in scored.rows].count("final") >= 19


@pytest.mark.parametrize(
    "words",
    [
        ("eyes.txt",),
        ("missing/eyes.csv",),
        ("eyes.csv", "--severity", "0.5,0.9,0.1"),
        ("eyes.csv", "--severity", "mild"),
        ("eyes.csv", "--part", "all"),
        ("eyes.csv", "--healthy", "2"),
    ],
)
def test_simulate_called_wrongly_writes_nothing(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal("simulate", *words).code == 2
    assert not (terminal.folder / words[0]).exists()
