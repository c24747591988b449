"""Ended associations, until the deliver role has taken note of them."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class EndedAssociationRow(SQLModel, table=True):
    """An association that a peer had with us and that is over; deleted once it is taken note of."""

    __tablename__ = "ended_associations"

    id: int | None = Field(default=None, primary_key=True)
    calling_ae_title: str
    address: str
    began_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    #: Whether the peer asked for a C-ECHO.
    echoed: bool = False
