"""The pages in the navigation: a new one is one line here."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from api.caller import Caller
from api.dashboard.translation import to_translate
from core.keys import Role

#: Everybody's.
_OWN_PAGE: Final = "/account"
_CARE: Final = (Role.VIEWER, Role.CLINICIAN, Role.OPERATOR, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Entry:
    """One page: its path, its name in English, and the roles that see it named."""

    path: str
    name: str
    roles: tuple[Role, ...]

    def is_for(self, caller: Caller) -> bool:
        """Whether somebody sees it named; whoever is on this machine without a name sees all."""
        return caller.is_unnamed or caller.has_role(*self.roles)


@dataclass(frozen=True)
class Group:
    """Pages that belong together."""

    name: str
    entries: tuple[Entry, ...]

    def entries_for(self, caller: Caller) -> tuple[Entry, ...]:
        """Return the pages that somebody sees named."""
        return tuple(entry for entry in self.entries if entry.is_for(caller))


NAVIGATION: Final = (
    Group(
        to_translate("Clinic"),
        (
            Entry("/", to_translate("Live"), _CARE),
            Entry("/patients", to_translate("Patients"), _CARE),
            Entry("/research", to_translate("Research"), (*_CARE, Role.RESEARCHER)),
        ),
    ),
    Group(
        to_translate("This node"),
        (
            Entry("/devices", to_translate("Devices"), _CARE),
            Entry("/models", to_translate("Models"), _CARE),
            Entry("/jobs", to_translate("Queue"), _CARE),
            Entry("/deliveries", to_translate("Deliveries"), _CARE),
            Entry("/quarantine", to_translate("Quarantine"), _CARE),
            Entry("/callers", to_translate("Callers"), _CARE),
            Entry("/webhooks", to_translate("Webhooks"), _CARE),
            Entry("/audit", to_translate("Audit trail"), (Role.ADMINISTRATOR,)),
        ),
    ),
)


def navigation_for(caller: Caller) -> list[tuple[str, tuple[Entry, ...]]]:
    """Return the name and the pages of each group somebody sees anything of."""
    shown = ((group.name, group.entries_for(caller)) for group in NAVIGATION)
    return [(name, entries) for name, entries in shown if entries]


def first_page(roles: AbstractSet[Role]) -> str:
    """Return the path of the first page that somebody of these roles sees named."""
    for group in NAVIGATION:
        for entry in group.entries:
            if not roles.isdisjoint(entry.roles):
                return entry.path
    return _OWN_PAGE
