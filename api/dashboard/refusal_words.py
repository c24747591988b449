"""What a page says where something is refused, in its reader's language."""

from collections.abc import Sequence

from api.dashboard.translation import gettext
from api.errors import AskedTooOften, RoleMissing
from core.errors import NodeError


def refusal_words(error: NodeError) -> str:
    """Return why something was refused; of a role that misses, what a reader can do about it."""
    if isinstance(error, RoleMissing) and error.roles:
        roles = " / ".join(error.roles)
        return gettext("This needs the role %s. Your administrator can give it to you.") % roles
    if isinstance(error, AskedTooOften):
        return gettext(error.words) % {"seconds": error.seconds}
    return gettext(str(error))


def fields_to_check(names: Sequence[str]) -> str:
    """Return which fields of a form, or parameters of an address, cannot be as they are."""
    return gettext("Check: %s") % ", ".join(names)
