"""The conformance statement as data: every fact of it, before it is written down."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from core.settings import Settings
from core.tls import TLS_1_2_CIPHER_SUITES
from dicom_node.application_entity import MAXIMUM_PDU_BYTES
from dicom_node.conformance.contexts import Context, Proposal, accepted_contexts, proposals
from dicom_node.conformance.emitted import (
    EmittedClass,
    PrivateCode,
    emitted_classes,
    never_emitted,
    private_codes,
)
from dicom_node.conformance.query_keys import QueryKey, query_keys
from dicom_node.conformance.statuses import StatusMeaning, statuses_by_service
from dicom_node.deidentification.options import BASIC_PROFILE, METHODS, STRUCTURED_CONTENT
from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from reports.codes import SCHEME, SCHEME_UID

PRODUCT: Final = "Arcuate"


@dataclass(frozen=True)
class WebRoute:
    """One transaction of DICOMweb that we answer as an origin server."""

    method: str
    path: str
    summary: str


@dataclass(frozen=True)
class DeidentificationMethod:
    """A profile or option of PS3.15 annex E that `arcuate export` applies.

    Attributes
    ----------
    option
        How the command calls it; empty for what is always done.
    """

    code: str
    meaning: str
    option: str = ""


@dataclass(frozen=True)
class Associations:
    """How associations are accepted; times in seconds."""

    maximum: int
    maximum_of_one_peer: int
    receivers: int
    maximum_pdu_bytes: int
    acse_timeout_seconds: float
    dimse_timeout_seconds: float
    network_timeout_seconds: float
    allows_unknown_peers: bool


@dataclass(frozen=True)
class Ports:
    """Where we listen; None where a port is closed."""

    host: str
    plain: int | None
    tls: int | None
    tls_asks_for_certificate: bool
    tls_1_2_cipher_suites: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """What the running configuration conforms to.

    Attributes
    ----------
    accepted
        As the application entity registers them.
    proposed
        As each activity proposes them.
    """

    version: str
    ae_title: str
    implementation_class_uid: str
    implementation_version_name: str
    ports: Ports
    associations: Associations
    accepted: tuple[Context, ...]
    proposed: tuple[Proposal, ...]
    web_routes: tuple[WebRoute, ...]
    query_keys: tuple[QueryKey, ...]
    maximum_matches: int
    statuses: dict[str, tuple[StatusMeaning, ...]]
    emitted: tuple[EmittedClass, ...]
    never_emitted: dict[str, str]
    coding_scheme: str
    coding_scheme_uid: str
    private_codes: tuple[PrivateCode, ...]
    deidentification: tuple[DeidentificationMethod, ...]
    maximum_object_mib: int
    duplicates: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"product": PRODUCT, **asdict(self)}


def build_statement(
    settings: Settings, version: str, web_routes: Sequence[WebRoute] = ()
) -> Statement:
    """Return the statement of a configuration.

    Parameters
    ----------
    version
        Of the product.
    web_routes
        What the HTTP side serves of DICOMweb; this side knows nothing of it.
    """
    return Statement(
        version=version,
        ae_title=settings.ae_title,
        implementation_class_uid=IMPLEMENTATION_CLASS_UID,
        implementation_version_name=IMPLEMENTATION_VERSION_NAME,
        ports=_ports(settings),
        associations=_associations(settings),
        accepted=accepted_contexts(settings),
        proposed=proposals(),
        web_routes=tuple(web_routes),
        query_keys=query_keys(),
        maximum_matches=settings.query_maximum_matches,
        statuses=statuses_by_service(),
        emitted=emitted_classes(),
        never_emitted=never_emitted(),
        coding_scheme=SCHEME,
        coding_scheme_uid=str(SCHEME_UID),
        private_codes=private_codes(),
        deidentification=_deidentification(),
        maximum_object_mib=settings.maximum_object_mib,
        duplicates=settings.duplicates,
    )


def _deidentification() -> tuple[DeidentificationMethod, ...]:
    always = (BASIC_PROFILE, STRUCTURED_CONTENT)
    return (
        *(DeidentificationMethod(method.code, method.meaning) for method in always),
        *(DeidentificationMethod(m.code, m.meaning, option) for option, m in METHODS.items()),
    )


def _ports(settings: Settings) -> Ports:
    return Ports(
        host=settings.dicom_host,
        plain=settings.dicom_port if settings.dicom_plain else None,
        tls=settings.dicom_tls_port if settings.tls_cert else None,
        tls_asks_for_certificate=bool(settings.tls_client_ca),
        tls_1_2_cipher_suites=TLS_1_2_CIPHER_SUITES,
    )


def _associations(settings: Settings) -> Associations:
    return Associations(
        maximum=settings.maximum_associations,
        maximum_of_one_peer=settings.maximum_associations_per_peer,
        receivers=settings.receivers,
        maximum_pdu_bytes=MAXIMUM_PDU_BYTES,
        acse_timeout_seconds=settings.acse_timeout_seconds,
        dimse_timeout_seconds=settings.dimse_timeout_seconds,
        network_timeout_seconds=settings.network_timeout_seconds,
        allows_unknown_peers=settings.allow_unknown_peers,
    )
