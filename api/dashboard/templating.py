"""From a template and values to a page in the reader's language; every value is escaped."""

from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.dashboard import device_words, list_words, result_words, translation, words
from api.dashboard.advice import advice_of
from api.dashboard.form_fields import FormFields
from api.dashboard.languages import LANGUAGES
from api.dashboard.navigation import navigation_for
from api.dashboard.preferences import Theme, current_theme
from api.dashboard.reason_words import reason_name, reason_words
from api.dashboard.translation import to_translate
from api.form_tokens import form_token
from core.values.prediction import ESTIMATE_NOTICE

_FOLDER: Final = Path(__file__).parent
STATIC_FOLDER: Final = _FOLDER / "static"

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    # A misspelt name is an error, not an empty place in a result.
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n", FormFields],
)
_ENVIRONMENT.install_gettext_callables(  # type: ignore[attr-defined]
    translation.gettext,
    translation.ngettext,
    newstyle=True,
    pgettext=translation.pgettext,
    npgettext=translation.npgettext,
)
_ENVIRONMENT.filters.update(
    {
        "translated": translation.gettext,
        "moment": words.moment,
        "iso": words.iso,
        "decibel": words.decibel,
        "signed_decibel": words.signed_decibel,
        "person": words.person,
        "eye": words.eye,
        "status": words.status,
        "device": words.device,
        "quality": words.quality,
        "kind": words.kind,
        "quality_name": words.quality_name,
        "picture": words.picture,
        "years": words.years,
        "sector": result_words.sector,
        "fundus_words": result_words.fundus_words,
        "device_named": result_words.device_named,
        "model_named": result_words.model_named,
        "rhythm": device_words.rhythm,
        "clock": device_words.clock,
        "uid_names": device_words.names,
        "cause": words.cause,
        "decision": words.decision,
        "amendment": words.amendment,
        "reason": reason_words,
        "reason_name": reason_name,
        "advice": advice_of,
        "percent": words.percent,
        "live_state": words.live_state,
        **list_words.FILTERS,
    }
)
_THEMES: Final = (
    (Theme.AUTO, to_translate("Auto")),
    (Theme.LIGHT, to_translate("Light")),
    (Theme.DARK, to_translate("Dark")),
)
_ENVIRONMENT.globals.update(
    {
        "notice": ESTIMATE_NOTICE,
        "form_token": form_token,
        "languages": tuple(LANGUAGES.values()),
        "language": translation.current_language,
        "themes": _THEMES,
        "theme": current_theme,
        "navigation": navigation_for,
    }
)


def render(template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """Return the page of a template, in the language of the request under way.

    Every template knows `here`, its own path in the navigation, and `caller`, who asks: None on a
    page that needs nobody signed in.
    """
    defaults = {"here": "", "caller": None}
    content = _ENVIRONMENT.get_template(template).render({**defaults, **values})
    return HTMLResponse(content, status_code)
