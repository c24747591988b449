from collections.abc import Iterator
from pathlib import Path

import pytest

from arcuate.checks import run_check
from arcuate.finding import Finding, Health
from arcuate.node import Node, prepare_node
from arcuate.retention_checks import _judge
from core.settings import Settings
from dicom_node.storage.archive import Archive
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.run import foresee
from tests.builders.kept_study import NOW, days_ago, keep_raw, keep_scan
from tests.builders.received import open_test_archive


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    prepared = prepare_node(Settings(home=tmp_path / "home", retention_days=30))
    yield prepared
    prepared.database.close()


@pytest.fixture
def archive(node: Node) -> Archive:
    return open_test_archive(node.settings, node.database)


def test_without_a_bound_nothing_is_looked_at(tmp_path: Path) -> None:
    found = run_check("retention", Settings(home=tmp_path / "none"))

    assert found == Finding("retention", Health.GOOD, "everything is kept for ever")


def test_without_a_database_there_is_nothing_to_remove(tmp_path: Path) -> None:
    found = run_check("retention", Settings(home=tmp_path / "none", retention_days=30))

    assert (found.health, found.found) == (Health.NOTE, "no database yet")


def test_what_goes_next_is_counted(node: Node, archive: Archive) -> None:
    keep_raw(archive, "1", days_ago(900))

    found = run_check("retention", node.settings)

    assert (found.health, found.found) == (
        Health.GOOD,
        "1 studies go next, 0 should and are held",
    )


def test_what_is_held_is_a_note_that_says_where_to_look(node: Node, archive: Archive) -> None:
    keep_scan(archive, "1", days_ago(900))

    found = run_check("retention", node.settings)

    assert (found.health, found.found) == (
        Health.NOTE,
        "0 studies go next, 1 should and are held",
    )
    assert "arcuate retention --dry-run" in found.remedy


def test_archive_that_cannot_become_small_enough_is_wrong(archive: Archive) -> None:
    keep_scan(archive, "1", days_ago(900))
    policy = RetentionPolicy(maximum_bytes=1)

    found = _judge(foresee(archive, policy, NOW), policy)

    assert found.health is Health.WRONG
    assert "above retention_gib" in found.found
