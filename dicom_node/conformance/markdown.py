"""The parts of a Markdown document that the statement is made of."""

from collections.abc import Iterable, Sequence
from typing import Final

from pydicom.uid import UID

#: Names of classes that are newer than the library's dictionary (PS3.6 table A-1).
_NEWER: Final = {"1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, its columns as wide as they are."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def section(depth: int, title: str, *parts: str) -> str:
    """Return a heading with what stands below it, parted by empty lines."""
    return "\n\n".join((f"{'#' * depth} {title}", *filter(None, parts)))


def named(uid: str) -> str:
    """Return what the standard calls a UID; the UID itself where it does not know it."""
    return _NEWER.get(uid) or UID(uid).name


def _cell(value: object) -> str:
    match value:
        case True:
            return "Yes"
        case False | None:
            return "No"
    return str(value).replace("|", "\\|").replace("\n", " ")
