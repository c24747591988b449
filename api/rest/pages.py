"""Keyset paging: a page begins after a row, not after a count; inserts skip and repeat nothing."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.orm import Mapped
from sqlmodel import Session

from api.cursors import encode_cursor, integer_cursor
from api.schemas.listing import Listing, PageQuery
from core.audit.trail import note_count

Row = TypeVar("Row")
Item = TypeVar("Item")


def integer_page(
    session: Session,
    statement: Any,
    key: Mapped[Any],
    query: PageQuery,
    listing: str,
    key_of: Callable[[Row], int],
    newest_first: bool = False,
) -> tuple[Sequence[Row], str | None]:
    """Return one page of a statement ordered by an integer key, and the next page's cursor.

    Parameters
    ----------
    key, key_of
        The column that orders the list, and how to read it from a row.
    listing
        Name of the list, so that a cursor of another one is refused.
    """
    if query.cursor is not None:
        after = integer_cursor(listing, query.cursor)
        statement = statement.where(key < after if newest_first else key > after)
    ordered = statement.order_by(key.desc() if newest_first else key)
    # One row more than asked tells whether there is another page.
    rows: Sequence[Row] = session.exec(ordered.limit(query.limit + 1)).all()
    if len(rows) <= query.limit:
        return rows, None
    page = rows[: query.limit]
    return page, encode_cursor(listing, key_of(page[-1]))


def listing_of(items: list[Item], following: str | None) -> Listing[Item]:
    """Return a page as JSON."""
    note_count(len(items))
    return Listing(items=items, next=following)
