"""What `arcuate up` tells whoever starts the node about signing in."""

import re

import pytest

from api.logins import makes_administrator
from arcuate.commands.up import _way_in, _welcome
from arcuate.node import Node
from arcuate.roles import Role as NodeRole
from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from dicom_node.storage.bytes import Storage


@pytest.fixture
def node(settings: Settings, database: Database) -> Node:
    locked = settings.model_copy(update={"auth": "keys"})
    return Node(locked, database, Storage(locked.storage))


def test_first_administrator_is_made_by_a_link(node: Node, database: Database) -> None:
    with database.transaction() as session:
        create_key(session, "operator", Role.OPERATOR)

    found = re.match(
        r"/login\?token=([\w-]+)  \(makes the first administrator, once", _way_in(node)
    )

    assert found is not None
    with database.reading() as session:
        assert makes_administrator(session, found[1])


def test_there_is_no_link_once_there_is_an_administrator(node: Node, database: Database) -> None:
    with database.transaction() as session:
        create_key(session, "Ada", Role.ADMINISTRATOR)

    assert _way_in(node) == "  (sign in with a key; `arcuate keys link NAME` makes a link)"


@pytest.mark.parametrize(("auth", "way"), [("none", ""), ("oidc", "OpenID provider")])
def test_there_is_no_link_where_keys_are_not_how_people_sign_in(
    node: Node, auth: str, way: str
) -> None:
    settings = node.settings.model_copy(update={"auth": auth})

    told = _way_in(Node(settings, node.database, node.storage))

    assert way in told
    assert "token" not in told


def test_role_that_is_not_ready_is_told_beside_those_that_are(node: Node) -> None:
    ports = {NodeRole.RECEIVE: 11112, NodeRole.SERVE: 8080}
    late = "`arcuate infer` ended with code 1: its own lines say why"

    told, whole = (_welcome(node, ports, 0, found).splitlines() for found in ([late], []))

    assert told[0].startswith("Arcuate is ready, in part. ")
    assert f"  Missing   {late}. The others run; it is tried until it is ready" in told
    assert whole[0].startswith("Arcuate is ready. ")
    assert len(whole) == len(told) - 1
