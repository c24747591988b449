import pytest
from fastapi.routing import APIRoute

from api.caller import ANYONE_HERE, Caller, Proof
from api.dashboard.navigation import NAVIGATION, Entry, first_page, navigation_for
from api.routes import ACCESS
from core.keys import Role


def _readers(path: str) -> frozenset[Role]:
    [roles] = [
        access.allowed("GET", path).roles
        for router, access in ACCESS
        for route in router.routes
        if isinstance(route, APIRoute) and route.path == path and "GET" in route.methods
    ]
    return roles


@pytest.mark.parametrize("entry", [entry for group in NAVIGATION for entry in group.entries])
def test_page_is_named_to_those_who_may_read_it(entry: Entry) -> None:
    assert frozenset(entry.roles) == _readers(entry.path)


@pytest.mark.parametrize(
    ("roles", "path"),
    [
        ({Role.CLINICIAN}, "/"),
        ({Role.RESEARCHER}, "/research"),
        ({Role.RESEARCHER, Role.VIEWER}, "/"),
        (set(), "/account"),
    ],
)
def test_everybody_begins_on_a_page_they_may_see(roles: set[Role], path: str) -> None:
    assert first_page(roles) == path


def test_groups_without_a_page_for_somebody_are_not_named_to_them() -> None:
    nobody = Caller("", frozenset(), Proof.KEY)

    assert navigation_for(nobody) == []
    assert len(navigation_for(ANYONE_HERE)) == len(NAVIGATION)
