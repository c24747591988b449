"""What `deploy/` says of the node is so, and it asks for few rights."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from arcuate.cli import app
from arcuate.roles import Role
from core.metrics.register import METRICS
from core.settings import ENVIRONMENT_PREFIX, Settings
from tests.conftest import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
COMPOSE = sorted((DEPLOY / "compose").glob("*.yaml"))
KUBERNETES = sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").iterdir())
CONTAINERFILE = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
#: Set by a person before it starts, and no node's.
_OTHERS = {"ARCUATE"}
#: Of a service without a program of ours.
_FOREIGN = {"database"}
#: Of programs beside Kubernetes, which have no schema in it.
_CUSTOM = {"keda.sh/v1alpha1", "kustomize.config.k8s.io/v1beta1"}
_COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
_DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}
_PORTS = {_DEFAULTS[name] for name in ("dicom_port", "dicom_tls_port", "http_port")}


def _services() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in COMPOSE:
        for name, service in yaml.safe_load(path.read_text("utf-8"))["services"].items():
            if name not in _FOREIGN:
                yield f"{path.name} {name}", service


def _objects() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in KUBERNETES:
        for found in yaml.safe_load_all(path.read_text("utf-8")):
            yield f"{path.name} {found['kind']} {found.get('metadata', {}).get('name')}", found


def _pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, found in _objects():
        spec = found.get("spec", {})
        spec = spec.get("jobTemplate", {"spec": spec})["spec"]
        if "containers" in (pod := spec.get("template", {}).get("spec", {})):
            yield name, pod


def _containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, pod in _pods():
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            yield f"{name} {container['name']}", container


def test_every_setting_that_is_named_exists() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    named = {
        name
        for path in files
        for name in re.findall(r"\bARCUATE[A-Z_]*\b", path.read_text("utf-8"))
    }

    known = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert "ARCUATE_DATABASE_PASSWORD_FILE" in named
    assert named - known - _OTHERS == set()


def test_every_command_that_is_started_exists() -> None:
    started = {name: service["command"][0] for name, service in _services()}
    started |= {name: c["args"][0] for name, c in _containers() if "args" in c}
    for path in UNITS:
        found = re.search(r"ExecStart=\S+/arcuate (?!%i)(\S+)", path.read_text("utf-8"))
        if found:
            started[path.name] = found[1]

    assert {name: word for name, word in started.items() if word not in _COMMANDS} == {}
    # Whoever deploys many hosts finds each role.
    for files in ("many-hosts.yaml", "one-box-postgres.yaml"):
        words = {word for name, word in started.items() if name.startswith(files)}
        assert words - {"migrate"} == set(Role) - {Role.WATCH}


def test_ports_are_those_of_the_defaults() -> None:
    exposed = {int(port) for port in re.findall(r"\d+", _line("EXPOSE"))}
    published = {
        int(port.rpartition(":")[2]) for _, s in _services() for port in s.get("ports", ())
    }
    listened = {p["containerPort"] for _, c in _containers() for p in c.get("ports", ())}

    assert exposed == _PORTS
    assert published == listened == {_DEFAULTS["dicom_port"], _DEFAULTS["http_port"]}


def test_containers_write_to_their_data_alone_and_have_no_rights() -> None:
    open_services = {
        name
        for name, service in _services()
        if not (service["read_only"] and service["cap_drop"] == ["ALL"])
    }
    open_pods = {name for name, pod in _pods() if not pod["securityContext"]["runAsNonRoot"]}
    open_containers = {
        name
        for name, container in _containers()
        if not container["securityContext"]["readOnlyRootFilesystem"]
        or container["securityContext"]["capabilities"] != {"drop": ["ALL"]}
    }

    assert (open_services, open_pods, open_containers) == (set(), set(), set())
    assert _line("USER") == "USER 10001:10001"
    assert "--require-hashes" in CONTAINERFILE
    # A password stands in a file, never beside the settings.
    for path in (*COMPOSE, *KUBERNETES):
        assert not re.search(r"://[^/\s]*:[^/\s]*@", path.read_text("utf-8"))


def test_whoever_listens_is_probed_at_an_address_that_is_there() -> None:
    probed = {
        name: {kind for kind in container if kind.endswith("Probe")}
        for name, container in _containers()
        if "ports" in container
    }
    paths = {
        probe["httpGet"]["path"]
        for _, container in _containers()
        for kind, probe in container.items()
        if kind.endswith("Probe") and "httpGet" in probe
    }

    assert set(map(frozenset, probed.values())) == {
        frozenset({"startupProbe", "readinessProbe", "livenessProbe"})
    }
    routes = (REPOSITORY / "docs" / "rest-routes.md").read_text("utf-8")
    assert {path for path in paths if path not in routes} == set()
    assert paths == {"/health/live", "/health/ready"}


def test_one_box_is_healthy_where_devices_and_people_are_answered() -> None:
    services = dict(_services())
    asked = " ".join(services["one-box.yaml arcuate"]["healthcheck"]["test"])

    compile(services["one-box.yaml arcuate"]["healthcheck"]["test"][-1], "healthcheck", "exec")
    assert {port for port in _PORTS if str(port) in asked} == {
        _DEFAULTS["dicom_port"],
        _DEFAULTS["http_port"],
    }


def test_pods_are_given_no_settings_by_the_names_of_services() -> None:
    links = {name: pod.get("enableServiceLinks") for name, pod in _pods()}

    # A Service arcuate-serve would give each container ARCUATE_SERVE_PORT, an unknown setting.
    assert len(links) == 5
    assert {name for name, linked in links.items() if linked is not False} == set()


def test_manifests_are_what_kubernetes_expects() -> None:
    own = [found for _, found in _objects() if found["apiVersion"] not in _CUSTOM]

    for found in own:
        # Raises where a field is missing, unknown or of another type.
        kubernetes_validate.validate(found, "1.37", strict=True)
    assert {found["kind"] for found in own} >= {"Deployment", "CronJob", "PodDisruptionBudget"}
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text("utf-8"))
    there = {path.name for path in KUBERNETES if path.parent.name == "kubernetes"}
    assert set(listed["resources"]) == there - {"kustomization.yaml"}


def test_what_selects_pods_finds_some() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text("utf-8"))
    added = dict(pair for label in listed["labels"] for pair in label["pairs"].items())
    assert all(label["includeTemplates"] for label in listed["labels"])
    pods = [{**added, **labels} for labels in _pod_labels()]

    selectors = [
        spec.get("podSelector") or spec.get("selector", {})
        for _, found in _objects()
        for spec in [found.get("spec", {})]
        if found["kind"] in {"Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"}
    ]

    wanted = [selector.get("matchLabels", selector) for selector in selectors]
    assert len(wanted) >= 10
    assert [w for w in wanted if not any(w.items() <= pod.items() for pod in pods)] == []


def _pod_labels() -> Iterator[dict[str, str]]:
    for _, found in _objects():
        labels = found.get("spec", {}).get("template", {}).get("metadata", {}).get("labels")
        if labels:
            yield labels


def test_autoscaling_follows_a_metric_that_is_told() -> None:
    named = {
        name
        for path in (DEPLOY / "kubernetes" / "autoscaling").iterdir()
        for name in re.findall(r"\barcuate_[a-z_]+", path.read_text("utf-8"))
    }

    assert named == {"arcuate_job_oldest_waiting_seconds"}
    assert named <= {metric.name for metric in METRICS}


def test_both_copies_of_the_nightly_script_are_alike() -> None:
    script, copied = (DEPLOY / name / "backup" for name in ("", "kubernetes"))

    assert copied.read_bytes() == script.read_bytes()


def test_units_are_what_systemd_expects(need: Callable[[str], None], tmp_path: Path) -> None:
    need("systemd-analyze")
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("arcuate", "backup"):
        (programs / program).write_text("#!/bin/sh\n")
        (programs / program).chmod(0o755)
    for path in UNITS:
        unit = Path(copy(path, tmp_path))
        text = unit.read_text("utf-8").replace("/opt/arcuate/.venv/bin", str(programs))
        unit.write_text(text.replace("/opt/arcuate/deploy", str(programs)), "utf-8")
    units = [str(tmp_path / path.name) for path in UNITS]

    verified = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )

    ours = [line for line in verified.stderr.splitlines() if "arcuate" in line]
    assert (verified.returncode, ours) == (0, [])


def test_units_let_what_has_children_stop_them_itself() -> None:
    lasting = [path for path in UNITS if "Restart=" in path.read_text("utf-8")]

    assert {path.name for path in lasting} == {"arcuate.service", "arcuate@.service"}
    assert [path.name for path in lasting if "KillMode=mixed" not in path.read_text("utf-8")] == []


@pytest.mark.parametrize("unit", [path for path in UNITS if path.suffix == ".service"])
def test_units_are_exposed_to_little(need: Callable[[str], None], unit: Path) -> None:
    need("systemd-analyze")

    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert judged.returncode == 0, judged.stdout[-300:]


def _line(word: str) -> str:
    (found,) = re.findall(rf"^{word} .*$", CONTAINERFILE, re.MULTILINE)
    return str(found)
