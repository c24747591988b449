"""Every router of the pages that needs someone signed in; an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.dashboard import (
    delivery_pages,
    device_pages,
    operations_pages,
    research_pages,
    result_pages,
    review_pages,
)

PAGES: Final[tuple[APIRouter, ...]] = (
    result_pages.ROUTER,
    review_pages.ROUTER,
    device_pages.ROUTER,
    delivery_pages.ROUTER,
    operations_pages.ROUTER,
    research_pages.ROUTER,
)
