"""Whether two records can be one person: what both say must not contradict."""

from core.identities.errors import IdentityConflict
from core.tables.patients import PatientRow


def conflicts(one: PatientRow, other: PatientRow) -> list[str]:
    """Return which of `sex` and `birth_date` both records know, and know differently.

    Names are no conflict: spelling is what is corrected most.
    """
    pairs = {"sex": (one.sex, other.sex), "birth_date": (one.birth_date, other.birth_date)}
    return [name for name, (a, b) in pairs.items() if a and b and a != b]


def check_alike(one: PatientRow, other: PatientRow, *, force: bool) -> None:
    """Refuse two records that contradict each other.

    Raises
    ------
    IdentityConflict
        If they do and nobody forces it.
    """
    differing = conflicts(one, other)
    if differing and not force:
        raise IdentityConflict(differing)
