"""Settings of where a node listens and by what it is known: AE title, ports, certificates."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

Port = Annotated[int, Field(ge=0, le=65535)]
#: PS3.5 AE: 1 to 16 characters without backslash and control characters.
AETitle = Annotated[str, Field(pattern=r"^[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?$")]


class ListeningSettings(BaseModel):
    """Where the services listen, and how they show who they are."""

    ae_title: Annotated[AETitle, Field(description="Our AE title.")] = "ARCUATE"
    dicom_host: Annotated[str, Field(description="Address the DICOM services listen on.")] = (
        "127.0.0.1"
    )
    dicom_port: Annotated[Port, Field(description="DICOM port; 0 takes a free one.")] = 11112
    dicom_plain: Annotated[
        bool,
        Field(
            description="Whether dicom_port, which is not encrypted, is open; off only with TLS."
        ),
    ] = True
    dicom_tls_port: Annotated[
        Port, Field(description="DICOM TLS port, open where tls_cert is set; 0 takes a free one.")
    ] = 2762
    http_host: Annotated[str, Field(description="Address the pages and the API listen on.")] = (
        "127.0.0.1"
    )
    http_port: Annotated[Port, Field(description="HTTP port; 0 takes a free one.")] = 8080
    tls_cert: Annotated[
        str,
        Field(
            description="PEM file of our certificate, then what it is signed by; sets DICOM TLS "
            "and HTTPS going."
        ),
    ] = ""
    tls_key: Annotated[
        str, Field(description="PEM file of the certificate's private key, not encrypted.")
    ] = ""
    tls_client_ca: Annotated[
        str,
        Field(
            description="PEM file of the authorities devices' certificates are signed by; set, "
            "DICOM TLS asks each for one."
        ),
    ] = ""
    tls_peer_ca: Annotated[
        str,
        Field(
            description="PEM file of the authorities, or certificates, of peers that we call over "
            "TLS; empty: those of tls_client_ca."
        ),
    ] = ""

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("tls_cert and tls_key belong together: set both or neither")
        if self.tls_client_ca and not self.tls_cert:
            raise ValueError("tls_client_ca needs tls_cert and tls_key")
        if not self.dicom_plain and not self.tls_cert:
            raise ValueError("dicom_plain = false leaves no DICOM port without tls_cert")
        return self
