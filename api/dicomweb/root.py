"""Where the DICOMweb services are: their path, and their address as the client sees it."""

from typing import Final

from fastapi import Request

ROOT: Final = "/dicom-web"


def root_of(request: Request) -> str:
    """Return the URL of the services, with the scheme and host the request came to."""
    return str(request.base_url).rstrip("/") + ROOT
