"""Pattern and strategy of a test, from its Performed Protocol Code Sequence (0040,0260).

Source: PS3.16 CID 4250 (patterns) and 4251 (strategies); FORUM's own codes where those have none.
"""

from typing import Final

from pydicom.dataset import Dataset
from pydicom.sr.codedict import Collection, codes

from core.values.measured_field import FieldPattern
from dicom_node.devices.attributes import items_of, text_of

_PATTERNS: Final = {
    "111800": FieldPattern.P24_2,
    "111801": FieldPattern.P10_2,
    "111802": FieldPattern.P30_2,
    "111803": FieldPattern.P60_4,
    "111804": FieldPattern.MACULA,
    "OPVTP128": FieldPattern.P24_2C,
}
#: How FORUM's codes of patterns begin.
_FORUM_PATTERN: Final = "OPVTP"


def _named(group: Collection) -> dict[str, str]:
    """Return the meaning of each code of a context group, by its value."""
    return {str(code.value): str(code.meaning) for code in group.concepts.values()}


_EVERY_PATTERN: Final = frozenset(_named(codes.cid4250))
_STRATEGIES: Final = {
    **{
        value: meaning.removeprefix("Visual Field ").removesuffix(" Strategy").removesuffix(" Test")
        for value, meaning in _named(codes.cid4251).items()
    },
    "OPVTS101": "SITA Faster",
}


def read_pattern(dataset: Dataset) -> FieldPattern:
    """Return where was tested; `other` where the code is unknown, absent or not the only one."""
    found = {_PATTERNS[code] for code, _ in _protocol(dataset) if code in _PATTERNS}
    return found.pop() if len(found) == 1 else FieldPattern.OTHER


def read_strategy(dataset: Dataset) -> str:
    """Return the strategy in words; of an unknown code in those of the device, empty without."""
    for code, meaning in _protocol(dataset):
        if code in _STRATEGIES:
            return _STRATEGIES[code]
        if code not in _EVERY_PATTERN and not code.startswith(_FORUM_PATTERN):
            return meaning
    return ""


def _protocol(dataset: Dataset) -> list[tuple[str, str]]:
    items = items_of(dataset, "PerformedProtocolCodeSequence")
    return [(text_of(item, "CodeValue"), text_of(item, "CodeMeaning")) for item in items]
