"""Puts the token into every form that posts, so that no page can forget it."""

import re
from typing import Final

from jinja2.ext import Extension

from api.form_tokens import FIELD

#: The tag that opens a form; what a template fills in of it holds no ">".
_FORM: Final = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>', re.IGNORECASE)
_INPUT: Final = f'<input type="hidden" name="{FIELD}" value="{{{{ form_token() }}}}">'


class FormFields(Extension):
    """Adds the field behind the tag, as the template is read."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the template with the fields in it."""
        return _FORM.sub(lambda form: form.group() + _INPUT, source)
