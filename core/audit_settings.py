"""The settings of the audit trail."""

from typing import Annotated

from pydantic import BaseModel, Field


class AuditSettings(BaseModel):
    """The trail is always kept; nothing turns it off."""

    audit_key_file: Annotated[
        str,
        Field(
            description="File with the key of the audit trail's chain, for every process of the "
            "node; empty: the chain is hashed without one, and whoever may write to the database "
            "could make it anew."
        ),
    ] = ""
    audit_repeat_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=3600,
            description="The same look of the same caller at the same patients is one entry for so "
            "long; 0 writes each.",
        ),
    ] = 60.0
    audit_syslog: Annotated[
        str,
        Field(
            pattern=r"^$|^(tls|tcp|udp)://[^/]+:\d{1,5}/?$",
            description="Where the trail goes as DICOM audit messages: `tls://HOST:6514`, trusted "
            "as tls_peer_ca says, or `tcp://` and `udp://` on this machine; empty: nowhere.",
        ),
    ] = ""
