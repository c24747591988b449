"""Every router of the REST API that needs a key; an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.rest import (
    changes,
    deliveries,
    destinations,
    devices,
    forms,
    models,
    operations,
    patients,
    predictions,
    studies,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    patients.ROUTER,
    studies.ROUTER,
    predictions.ROUTER,
    forms.ROUTER,
    changes.ROUTER,
    operations.ROUTER,
    deliveries.ROUTER,
    destinations.ROUTER,
    devices.ROUTER,
    models.ROUTER,
)
