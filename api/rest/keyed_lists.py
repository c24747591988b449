"""Pages of the lists whose rows are named by text: peers, refused callers and models."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from api.cursors import encode_cursor, text_cursor
from api.schemas.listing import PageQuery
from core.tables.models import ModelRow
from core.tables.peers import PeerRow, RefusedCallerRow

_PEERS: Final = "peers"
_CALLERS: Final = "callers"
_MODELS: Final = "models"


def peer_page(session: Session, query: PageQuery) -> tuple[Sequence[PeerRow], str | None]:
    """Return one page of peers in the order of AE titles, and the next page's cursor."""
    return _page(
        session, PeerRow, (col(PeerRow.ae_title),), query, _PEERS, lambda row: (row.ae_title,)
    )


def caller_page(
    session: Session, query: PageQuery
) -> tuple[Sequence[RefusedCallerRow], str | None]:
    """Return one page of refused callers in the order of AE titles, and the next page's cursor."""
    keys = (
        col(RefusedCallerRow.calling_ae_title),
        col(RefusedCallerRow.address),
        col(RefusedCallerRow.called_ae_title),
    )
    return _page(
        session,
        RefusedCallerRow,
        keys,
        query,
        _CALLERS,
        lambda row: (row.calling_ae_title, row.address, row.called_ae_title),
    )


def model_page(session: Session, query: PageQuery) -> tuple[Sequence[ModelRow], str | None]:
    """Return one page of models by name and version, and the next page's cursor."""
    keys = (col(ModelRow.name), col(ModelRow.version))
    return _page(session, ModelRow, keys, query, _MODELS, lambda row: (row.name, row.version))


def _page(
    session: Session, table: Any, keys: tuple[Any, ...], query: PageQuery, listing: str, key_of: Any
) -> tuple[Sequence[Any], str | None]:
    statement = select(table).order_by(*keys)
    if query.cursor is not None:
        after = text_cursor(listing, query.cursor, len(keys))
        statement = statement.where(tuple_(*keys) > tuple_(*after))
    rows = session.exec(statement.limit(query.limit + 1)).all()
    page = rows[: query.limit]
    following = encode_cursor(listing, *key_of(page[-1])) if len(rows) > query.limit else None
    return page, following
