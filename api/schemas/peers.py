"""What an operator says of peers and callers, and what came of asking one, as JSON."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.values import Moment
from core.tables.peers import PeerEchoRow


class PeerIn(BaseModel):
    """An application entity that may call; the same again changes it."""

    model_config = ConfigDict(extra="forbid")

    ae_title: Annotated[str, Field(max_length=64, examples=["OCT1"])]
    host: Annotated[
        str,
        Field(
            max_length=64,
            description="Address it calls from, a network in CIDR notation, or `*` for anywhere.",
            examples=["192.0.2.7"],
        ),
    ]
    port: Annotated[
        int | None, Field(description="Where it listens, if it does; null leaves it.")
    ] = None
    description: Annotated[
        str, Field(max_length=200, description="For people; empty leaves it.")
    ] = ""
    tls: Annotated[
        bool | None, Field(description="Whether its port is called over TLS; null leaves it.")
    ] = None
    expect_every: Annotated[
        str | None,
        Field(
            max_length=16,
            description="Longest time without an object, as `24h`; `never` expects nothing; null "
            "leaves it.",
            examples=["24h"],
        ),
    ] = None
    expect_days: Annotated[
        str, Field(max_length=64, description="Days that count, as `mon-fri`; empty: all.")
    ] = ""


class CallerIn(BaseModel):
    """A caller that was refused, as the list of callers names it."""

    model_config = ConfigDict(extra="forbid")

    calling_ae_title: Annotated[str, Field(max_length=64)]
    address: Annotated[str, Field(max_length=64)]
    moved: Annotated[
        bool,
        Field(
            description="A peer of that AE title at another address is this one, which may call "
            "from there no more."
        ),
    ] = False


class EchoOut(BaseModel):
    """What came of asking a peer whether it answers."""

    asked_at: Moment
    asked_by: str
    finished_at: Moment | None = Field(description="Null while it is yet to be asked.")
    seconds: float | None = Field(description="How long its answer took; null without one.")
    error: str | None = Field(description="Why there was none.")


def echo_json(row: PeerEchoRow | None) -> EchoOut | None:
    """Return an echo as JSON, None where nobody asked."""
    return None if row is None else EchoOut.model_validate(row, from_attributes=True)
