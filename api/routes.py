"""Who may do what: every router of the node with the roles that may read by it and change by it.

The one place that says so; a router that is served and not listed here keeps the node from
starting.
"""

from typing import Final

from fastapi import APIRouter

from api.access import (
    ADMINISTRATORS,
    EVERYBODY,
    NAMED_ADMINISTRATORS,
    NOBODY,
    OPERATORS,
    READERS,
    RESEARCHERS,
    REVIEWERS,
    STORERS,
    TRUSTED_OPERATORS,
    Access,
)
from api.dashboard import (
    account_pages,
    audit_pages,
    delivery_pages,
    device_pages,
    live_pages,
    login_pages,
    model_pages,
    operations_pages,
    patient_pages,
    peer_pages,
    preference_pages,
    provider_pages,
    quarantine_pages,
    queue_pages,
    research_pages,
    result_page,
    review_pages,
)
from api.dicomweb import (
    qido,
    stow,
    wado_bulkdata,
    wado_frames,
    wado_instances,
    wado_metadata,
    wado_rendered,
    wado_thumbnail,
)
from api.inference_protocol import inferring
from api.inference_protocol import models as protocol_models
from api.inference_protocol import server as protocol_server
from api.rest import (
    audit,
    changes,
    deliveries,
    destinations,
    devices,
    events,
    exports,
    forms,
    health,
    identities,
    measured_fields,
    metrics,
    models,
    operations,
    patients,
    peers,
    point_table,
    predictions,
    quarantine,
    rescoring,
    research,
    reviews,
    studies,
    summary_reports,
    trends,
    webhooks,
)
from core.errors import NodeError

_READ_ONLY: Final = Access(READERS, NOBODY)
_OPERATED: Final = Access(READERS, OPERATORS)
#: Whose changes are searches, which keep what is looked for out of addresses.
_SEARCHED: Final = Access(READERS, READERS)
_OWN: Final = Access(EVERYBODY, EVERYBODY)

#: Served to whoever asks: monitors, and those who are not signed in yet.
OPEN: Final[tuple[APIRouter, ...]] = (
    health.ROUTER,
    protocol_server.HEALTH,
    metrics.ROUTER,
    login_pages.ROUTER,
    provider_pages.ROUTER,
    preference_pages.ROUTER,
)

#: The metrics, where they are not open.
MONITORED: Final = Access(READERS, NOBODY)

#: The description of the API: which routes there are is no secret.
DOCUMENT: Final = Access(EVERYBODY, NOBODY)

#: All the others.
ACCESS: Final[tuple[tuple[APIRouter, Access], ...]] = (
    (measured_fields.ROUTER, _READ_ONLY),
    (identities.ROUTER, Access(READERS, NAMED_ADMINISTRATORS)),
    (trends.ROUTER, _READ_ONLY),
    (patients.ROUTER, _READ_ONLY),
    (studies.ROUTER, _READ_ONLY),
    (rescoring.ROUTER, _OPERATED),
    (summary_reports.ROUTER, _READ_ONLY),
    (predictions.ROUTER, _READ_ONLY),
    (exports.ROUTER, _READ_ONLY),
    (forms.ROUTER, _READ_ONLY),
    (point_table.ROUTER, _READ_ONLY),
    (
        reviews.ROUTER,
        Access(READERS, REVIEWERS, {("PUT", reviews.REQUEST_PATH): READERS}),
    ),
    (changes.ROUTER, _READ_ONLY),
    (events.ROUTER, _READ_ONLY),
    (operations.ROUTER, _OPERATED),
    (
        quarantine.ROUTER,
        Access(READERS, OPERATORS, {("GET", quarantine.OBJECT_PATH): OPERATORS}),
    ),
    (peers.ROUTER, _OPERATED),
    (deliveries.ROUTER, _OPERATED),
    (destinations.ROUTER, _OPERATED),
    # An address may hold a secret of its receiver, so that even looking needs the role.
    (webhooks.ROUTER, Access(TRUSTED_OPERATORS, TRUSTED_OPERATORS)),
    (devices.ROUTER, _OPERATED),
    (models.ROUTER, Access(READERS, ADMINISTRATORS)),
    # Tensors are the caller's own, and nothing of them is kept.
    (protocol_server.ROUTER, Access(EVERYBODY, NOBODY)),
    (protocol_models.ROUTER, Access(EVERYBODY, NOBODY)),
    (inferring.ROUTER, Access(EVERYBODY, EVERYBODY)),
    (stow.ROUTER, Access(READERS, STORERS)),
    (qido.ROUTER, _READ_ONLY),
    (wado_instances.ROUTER, _READ_ONLY),
    (wado_metadata.ROUTER, _READ_ONLY),
    (wado_frames.ROUTER, _READ_ONLY),
    (wado_rendered.ROUTER, _READ_ONLY),
    (wado_thumbnail.ROUTER, _READ_ONLY),
    (wado_bulkdata.ROUTER, _READ_ONLY),
    (live_pages.ROUTER, _SEARCHED),
    (result_page.ROUTER, _READ_ONLY),
    (
        review_pages.ROUTER,
        Access(READERS, REVIEWERS, {("POST", review_pages.REQUEST_PATH): READERS}),
    ),
    (patient_pages.ROUTER, _SEARCHED),
    (device_pages.ROUTER, _OPERATED),
    (peer_pages.ROUTER, _OPERATED),
    (queue_pages.ROUTER, _OPERATED),
    (quarantine_pages.ROUTER, _OPERATED),
    (model_pages.ROUTER, _READ_ONLY),
    (delivery_pages.ROUTER, _OPERATED),
    (operations_pages.ROUTER, _OPERATED),
    (research.ROUTER, Access(RESEARCHERS, NOBODY)),
    (research_pages.ROUTER, Access(RESEARCHERS, NOBODY)),
    (account_pages.ROUTER, _OWN),
    (audit.ROUTER, Access(ADMINISTRATORS, NOBODY)),
    (audit_pages.ROUTER, Access(ADMINISTRATORS, NOBODY)),
)


class RouterUnlisted(NodeError):
    """A router is served that `api/routes.py` does not list: nobody says who may use it."""


def access_of(router: APIRouter) -> Access:
    """Return who may do what by a router.

    Raises
    ------
    RouterUnlisted
        If nothing says so.
    """
    for listed, access in ACCESS:
        if listed is router:
            return access
    raise RouterUnlisted
