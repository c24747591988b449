import socket
from pathlib import Path

import pytest

from arcuate.node import (
    NodeMissing,
    SchemaOutdated,
    open_node,
    open_or_make_node,
    prepare_node,
)
from core.database import DatabaseAway
from core.settings import Settings


def test_node_that_was_prepared_is_opened(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    prepare_node(settings).database.close()

    node = open_node(settings)

    assert node.storage.root == tmp_path / "home" / "instances"
    node.database.close()


def test_node_that_is_missing_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NodeMissing, match="`arcuate up` makes one"):
        open_node(Settings(home=tmp_path / "home"))

    assert list(tmp_path.iterdir()) == []


def test_database_of_another_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "arcuate.db").touch()

    with pytest.raises(SchemaOutdated, match="`arcuate migrate`"):
        open_node(Settings(home=tmp_path))


def test_database_server_that_is_away_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"postgresql+psycopg://nobody@127.0.0.1:{port}/none"
    settings = Settings(home=tmp_path, database_url=url)

    for open_it in (open_node, prepare_node):
        with pytest.raises(DatabaseAway):
            open_it(settings)


def test_node_is_made_where_a_setting_names_its_place_and_opened_afterwards(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path / "home")

    for _ in range(2):
        open_or_make_node(settings).database.close()

    open_node(settings).database.close()


def test_node_that_no_setting_names_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NodeMissing):
        open_or_make_node(Settings())

    assert list(tmp_path.iterdir()) == []


def test_record_of_another_version_is_not_migrated_unasked(tmp_path: Path) -> None:
    (tmp_path / "arcuate.db").touch()

    with pytest.raises(SchemaOutdated):
        open_or_make_node(Settings(home=tmp_path))
