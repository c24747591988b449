"""Every router of the REST API that needs a key; an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.rest import (
    changes,
    devices,
    forms,
    models,
    operations,
    patients,
    predictions,
    studies,
    summary_reports,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    patients.ROUTER,
    studies.ROUTER,
    summary_reports.ROUTER,
    predictions.ROUTER,
    forms.ROUTER,
    changes.ROUTER,
    operations.ROUTER,
    devices.ROUTER,
    models.ROUTER,
)
