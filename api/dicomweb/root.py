"""Where the DICOMweb services are: their path, and their address as the client sees it."""

from typing import Final

from fastapi import Request

from api.dependencies import node_of

ROOT: Final = "/dicom-web"


def root_of(request: Request) -> str:
    """Return the URL of the services: as the settings say, or as the request came."""
    return (node_of(request).settings.public_url or _base_url(request)) + ROOT


def _base_url(request: Request) -> str:
    url, server = request.base_url, request.scope.get("server")
    # dicomweb-client names the host it called without the port: nobody would be found there.
    if server is not None and url.port is None and url.hostname == server[0]:
        url = url.replace(port=server[1])
    return str(url).rstrip("/")
