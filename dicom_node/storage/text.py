"""Text of a data set for people to read: decoded leniently, never the reason to stop.

The bytes stay as received, so a wrong declaration costs a question mark here and nothing else.
"""

import re
from collections.abc import Sequence
from typing import Final

from pydicom.charset import CODES_TO_ENCODINGS, default_encoding, python_encoding

_ESCAPE: Final = b"\x1b"
#: Python's codecs that read the escape sequences themselves; the others must not see them.
_ESCAPE_READERS: Final = ("iso2022_jp", "iso2022_jp_2")
_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x1f\x7f]")


def decode_text(value: bytes, character_sets: Sequence[str], errors: str = "replace") -> str:
    """Return a text value without padding and control characters.

    Parameters
    ----------
    character_sets
        Specific Character Set (0008,0005), one entry a value; unknown ones count as the default.
    errors
        What becomes of bytes outside the character set, as `bytes.decode` names it.

    Source: PS3.5 6.1.2 and PS3.3 C.12.1.1.2 (code extensions by escape sequences).
    """
    if not value:
        return ""
    first = character_sets[0].strip() if character_sets else ""
    # The default repertoire is read as Latin-1: devices send it without declaring it.
    codec = python_encoding.get(first, default_encoding)
    if _ESCAPE not in value:
        text = value.decode(codec, errors)
    else:
        head, *rest = value.split(_ESCAPE)
        text = head.decode(codec, errors)
        text += "".join(_decode_fragment(_ESCAPE + fragment, errors) for fragment in rest)
    return _CONTROL_CHARACTERS.sub("", text).strip()


def _decode_fragment(fragment: bytes, errors: str) -> str:
    for code, codec in CODES_TO_ENCODINGS.items():
        if fragment.startswith(code):
            coded = fragment if codec in _ESCAPE_READERS else fragment[len(code) :]
            return coded.decode(codec, errors)
    return fragment.decode(default_encoding, errors)
