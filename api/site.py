"""The address of this node as the browser sees it."""

from fastapi import Request

from api.dependencies import node_of


def site_of(request: Request) -> str:
    """Return scheme and host, without a path: as the settings say, or as the request came."""
    return node_of(request).settings.public_url or str(request.base_url).rstrip("/")
