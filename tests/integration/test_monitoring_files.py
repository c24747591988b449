"""The dashboard and the alert rules we ship: they ask for nothing that is not told."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.metrics.register import METRICS, MetricKind
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "monitoring"
DASHBOARD = FOLDER / "grafana-dashboard.json"
_SUFFIXES = {
    MetricKind.COUNTER: ("_total",),
    MetricKind.GAUGE: ("",),
    MetricKind.HISTOGRAM: ("_bucket", "_sum", "_count"),
}
_TOLD = {metric.name + suffix for metric in METRICS for suffix in _SUFFIXES[metric.kind]}


def _names(text: str) -> set[str]:
    return set(re.findall(r"\barcuate_[a-z0-9_]+", text))


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return panels


def _expressions() -> Iterator[str]:
    for panel in _panels():
        for target in panel.get("targets", []):
            yield target["expr"]


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_file_names_a_metric_that_is_not_told(path: Path) -> None:
    assert _names(path.read_text("utf-8")) - _TOLD == set()


def test_every_metric_is_described_for_people() -> None:
    page = (REPOSITORY / "docs" / "monitoring.md").read_text("utf-8")

    assert {metric.name for metric in METRICS if f"`{metric.name}" not in page} == set()
    assert {name for name in _names(page) if name not in _TOLD} <= {m.name for m in METRICS}


def test_dashboard_shows_most_of_what_is_told() -> None:
    shown = _names(" ".join(_expressions()))

    unseen = {m.name for m in METRICS if not {m.name + s for s in _SUFFIXES[m.kind]} & shown}
    assert unseen == {
        "arcuate_info",
        "arcuate_metrics_behind_changes",
        "arcuate_reports_kept",
        "arcuate_reviews_requested",
        "arcuate_storage_minimum_free_bytes",
        "arcuate_storage_up",
        "arcuate_storage_waiting_bytes",
        "arcuate_storage_waiting_objects",
    }


def test_panels_have_their_own_places() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert taken & cells == set(), panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_rules_raise_what_they_should_and_nothing_else(need: Callable[[str], None]) -> None:
    need("promtool")
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = _promtool(*command, cwd=FOLDER)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test() -> None:
    alerts = set(re.findall(r"alert: (\w+)", (FOLDER / "alerts.yml").read_text("utf-8")))
    tests = (FOLDER / "alerts_test.yml").read_text("utf-8")

    untested = {alert for alert in alerts if f'alertname="{alert}"' not in tests}
    # The same expression as for scans, for other kinds of job.
    assert untested == {"ArcuateJobsWait"}


def test_expressions_of_the_dashboard_can_be_asked(
    need: Callable[[str], None], tmp_path: Path
) -> None:
    need("promtool")
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(_expressions())
    ]
    # YAML reads JSON.
    path = tmp_path / "panels.yml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    done = _promtool("check", "rules", str(path), cwd=tmp_path)

    assert len(rules) > 30
    assert done.returncode == 0, done.stdout + done.stderr


def _promtool(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments],
        cwd=cwd,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
