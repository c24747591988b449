"""The settings of what comes in: who may come at a time, how long, how much."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class ReceivingSettings(BaseModel):
    """Limits of associations and objects, and the folder that is watched."""

    receivers: Annotated[
        int,
        Field(ge=1, le=64, description="Processes that take associations, all on the same port."),
    ] = 1
    maximum_associations: Annotated[
        int,
        Field(
            ge=1,
            description="Associations served at a time, each receiver its share; one more is "
            "rejected.",
        ),
    ] = 50
    maximum_associations_per_peer: Annotated[
        int,
        Field(ge=1, description="Of them from one AE title at one address; one more is rejected."),
    ] = 25
    acse_timeout_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="From a connection to its whole association request, and from our "
            "rejection or release to its end.",
        ),
    ] = 30.0
    dimse_timeout_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="Silence in the middle of a message, and waiting for a response, "
            "after which a peer is given up; a message may take that long, and "
            "a second more for every 4 KiB.",
        ),
    ] = 60.0
    network_timeout_seconds: Annotated[
        float,
        Field(gt=0, description="Silence between messages after which an association is aborted."),
    ] = 60.0
    maximum_object_mib: Annotated[
        int,
        Field(ge=1, le=16384, description="Largest object accepted, MiB; larger: status A700."),
    ] = 1024
    minimum_free_mib: Annotated[
        int, Field(ge=0, description="Free disk space below which stores are answered A700, MiB.")
    ] = 512
    duplicates: Annotated[
        Literal["refuse", "keep_both", "replace"],
        Field(
            description="Other content under a SOP Instance UID that is kept: `refuse` it, "
            "`keep_both` and answer Success, or let it `replace` the first."
        ),
    ] = "refuse"
    watch_folder: Annotated[
        str,
        Field(
            description="Folder whose files are taken in, as devices export them to a share; "
            "empty: none."
        ),
    ] = ""
    watch_settle_seconds: Annotated[
        float,
        Field(ge=0, description="How long a file there must not have changed to be looked at."),
    ] = 5.0
    watch_patience_seconds: Annotated[
        float,
        Field(
            ge=0,
            description="How long a file there that is not whole must not have changed to be "
            "refused.",
        ),
    ] = 600.0
    watch_keep_days: Annotated[
        int,
        Field(ge=0, description="Days for which taken files stay in `taken`; 0 removes them."),
    ] = 7
