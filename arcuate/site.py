"""Where people find the pages of this node."""

from core.settings import Settings


def site_of(settings: Settings, port: int | None = None) -> str:
    """Return the address of the pages.

    Parameters
    ----------
    port
        The one that was taken where the settings leave it open.
    """
    if settings.public_url:
        return settings.public_url
    scheme = "https" if settings.tls_cert else "http"
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    return f"{scheme}://{host}:{settings.http_port if port is None else port}"
