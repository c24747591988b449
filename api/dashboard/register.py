"""Every router of the pages that needs someone signed in; an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.dashboard import (
    account_pages,
    audit_pages,
    delivery_pages,
    device_pages,
    live_pages,
    model_pages,
    operations_pages,
    patient_pages,
    peer_pages,
    quarantine_pages,
    queue_pages,
    research_pages,
    result_page,
    review_pages,
)

PAGES: Final[tuple[APIRouter, ...]] = (
    live_pages.ROUTER,
    result_page.ROUTER,
    review_pages.ROUTER,
    patient_pages.ROUTER,
    device_pages.ROUTER,
    peer_pages.ROUTER,
    queue_pages.ROUTER,
    delivery_pages.ROUTER,
    quarantine_pages.ROUTER,
    model_pages.ROUTER,
    operations_pages.ROUTER,
    audit_pages.ROUTER,
    account_pages.ROUTER,
    research_pages.ROUTER,
)
