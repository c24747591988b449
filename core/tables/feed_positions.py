"""Feed positions: how far each reader of ours has read the change feed."""

from sqlmodel import Field, SQLModel


class FeedPositionRow(SQLModel, table=True):
    """The number of the last change a reader took note of.

    Written in the transaction that records what came of it, so that a crash repeats nothing and
    loses nothing. Its lock lets one process read at a time.
    """

    __tablename__ = "feed_positions"

    reader: str = Field(primary_key=True)
    number: int = 0
