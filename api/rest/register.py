"""Every router of the REST API that needs a key; an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

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
    identities,
    measured_fields,
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

ROUTERS: Final[tuple[APIRouter, ...]] = (
    # Before the patients: their Patient ID takes any text to the end of a path.
    measured_fields.ROUTER,
    identities.ROUTER,
    trends.ROUTER,
    patients.ROUTER,
    studies.ROUTER,
    rescoring.ROUTER,
    summary_reports.ROUTER,
    predictions.ROUTER,
    exports.ROUTER,
    forms.ROUTER,
    point_table.ROUTER,
    reviews.ROUTER,
    changes.ROUTER,
    events.ROUTER,
    operations.ROUTER,
    quarantine.ROUTER,
    peers.ROUTER,
    deliveries.ROUTER,
    destinations.ROUTER,
    webhooks.ROUTER,
    devices.ROUTER,
    models.ROUTER,
    audit.ROUTER,
    research.ROUTER,
    protocol_server.ROUTER,
    protocol_models.ROUTER,
    inferring.ROUTER,
)
