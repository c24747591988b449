"""Every router of the REST API that needs a key; an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.rest import (
    audit,
    changes,
    deliveries,
    destinations,
    devices,
    events,
    forms,
    measured_fields,
    models,
    operations,
    patients,
    predictions,
    reviews,
    studies,
    summary_reports,
    webhooks,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    # Before the patients: their Patient ID takes any text to the end of a path.
    measured_fields.ROUTER,
    patients.ROUTER,
    studies.ROUTER,
    summary_reports.ROUTER,
    predictions.ROUTER,
    forms.ROUTER,
    reviews.ROUTER,
    changes.ROUTER,
    events.ROUTER,
    operations.ROUTER,
    deliveries.ROUTER,
    destinations.ROUTER,
    webhooks.ROUTER,
    devices.ROUTER,
    models.ROUTER,
    audit.ROUTER,
)
