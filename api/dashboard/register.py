"""Every router of the pages that needs someone signed in; an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.dashboard import (
    audit_pages,
    delivery_pages,
    device_pages,
    operations_pages,
    result_pages,
    review_pages,
)

PAGES: Final[tuple[APIRouter, ...]] = (
    result_pages.ROUTER,
    review_pages.ROUTER,
    device_pages.ROUTER,
    delivery_pages.ROUTER,
    operations_pages.ROUTER,
    audit_pages.ROUTER,
)
