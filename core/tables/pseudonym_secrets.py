"""The secret that pseudonyms are made with."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class PseudonymSecretRow(SQLModel, table=True):
    """The one secret of this node, 256 random bits in hexadecimal.

    Whoever has it can find whose pseudonym one is, as whoever reads this database can anyway.
    """

    __tablename__ = "pseudonym_secrets"

    #: Always ONLY: a second secret would give every patient a second pseudonym.
    id: int = Field(primary_key=True)
    secret: str
    created_at: datetime = Field(sa_type=UtcDateTime)
