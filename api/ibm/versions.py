"""Which release of the platform the clients take us for."""

from typing import Any, Final

from fastapi import APIRouter

ROUTER: Final = APIRouter(prefix="/ml/wml_services", include_in_schema=False)

#: The one release that the old and the new client both know; the old one asks elsewhere first, and
#: goes on here when that is not found.
_RELEASE: Final = "5.0.0"


@ROUTER.get("/v2/version")
async def read_version() -> dict[str, Any]:
    """Return the release."""
    return {"version": _RELEASE}
