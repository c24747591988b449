"""The pages there are, for what holds for each of them: a new page is one line here."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class SitePage:
    """One page.

    Attributes
    ----------
    path
        Names in braces are put in from what the builder of the record returned.
    is_open
        Whether nobody needs to be signed in.
    """

    name: str
    path: str
    is_open: bool = False


SITE: Final = (
    SitePage("login", "/login", is_open=True),
    SitePage("live", "/"),
    SitePage("result", "/predictions/{estimated}"),
    SitePage("result-refused", "/predictions/{refused}"),
    SitePage("result-rejected", "/predictions/{rejected}"),
    SitePage("result-photograph", "/predictions/{photograph}"),
    SitePage("patients", "/patients"),
    SitePage("patient", "/patients/{patient}"),
    SitePage("patient-over-years", "/patients/{visitor}"),
    SitePage("research", "/research"),
    SitePage("devices", "/devices"),
    SitePage("queue", "/jobs"),
    SitePage("job", "/jobs/1"),
    SitePage("models", "/models"),
    SitePage("model", "/models/retinervenet/1.0.0"),
    SitePage("model-shadow", "/models/retinervenet/2.0.0"),
    SitePage("deliveries", "/deliveries"),
    SitePage("quarantine", "/quarantine"),
    SitePage("callers", "/callers"),
    SitePage("webhooks", "/webhooks"),
    SitePage("audit", "/audit"),
    SitePage("account", "/account"),
    SitePage("not-found", "/nothing"),
)
