"""From a template and values to a page; every value is escaped."""

from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.dashboard import device_words, words
from api.dashboard.form_fields import FormFields
from api.form_tokens import form_token
from core.values.prediction import ESTIMATE_NOTICE
from reports.scan_words import quality_name, scan_words

_FOLDER: Final = Path(__file__).parent
STATIC_FOLDER: Final = _FOLDER / "static"

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    extensions=[FormFields],
    autoescape=True,
    # A misspelt name is an error, not an empty place in a result.
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(
    {
        "moment": words.moment,
        "iso": words.iso,
        "decibel": words.decibel,
        "signed_decibel": words.signed_decibel,
        "person": words.person,
        "eye": words.eye,
        "status": words.status,
        "device": words.device,
        "quality": words.quality,
        "kind": scan_words,
        "quality_name": quality_name,
        "picture": words.picture,
        "years": words.years,
        "rhythm": device_words.rhythm,
        "clock": device_words.clock,
        "uid_names": device_words.names,
        "cause": words.cause,
        "decision": words.decision,
        "amendment": words.amendment,
    }
)
_ENVIRONMENT.globals.update({"notice": ESTIMATE_NOTICE, "form_token": form_token})


def render(template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """Return the page of a template.

    Every template knows `here`, its own path in the navigation, and `caller`, who asks: None on a
    page that needs nobody signed in.
    """
    defaults = {"here": "", "caller": None}
    content = _ENVIRONMENT.get_template(template).render({**defaults, **values})
    return HTMLResponse(content, status_code)
