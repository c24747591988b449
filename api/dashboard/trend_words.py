"""How slopes, runs and the places of results read on a page."""

from typing import Final

from api.dashboard.translation import gettext, to_translate
from api.dashboard.words import UNKNOWN
from core.perimetry.trend import CONFIDENCE_PERCENT, MINIMUM_VISITS, Line, NoSlope
from core.trends.result import Index, Place
from core.trends.telling import Change
from core.values.scan import Device
from reports.scan_words import kind_words

_PLACE_WORDS: Final = {
    Place.COUNTED: to_translate("counts"),
    Place.ANOTHER_COUNTS: to_translate("another scan of that day counts"),
    Place.WITHHELD: to_translate("rejected by a person"),
    Place.AMENDED: to_translate("amended by a person"),
    Place.NOT_ASSESSABLE: to_translate("not assessable"),
    Place.FAILED: to_translate("failed"),
    Place.UNDATED: to_translate("without a date"),
}
_NO_SLOPE_WORDS: Final = {
    NoSlope.TOO_FEW_VISITS: to_translate("no slope: fewer than %(visits)s visits"),
    NoSlope.SPAN_TOO_SHORT: to_translate("no slope: visits within half a year"),
}
_SECTOR_WORDS: Final = {
    Index.MEAN_DEVIATION: to_translate("Mean deviation (estimated)"),
    Index.RNFL_MEAN: to_translate("Nerve fibre layer, mean"),
    Index.T: to_translate("Temporal"),
    Index.TS: to_translate("Temporal superior"),
    Index.NS: to_translate("Nasal superior"),
    Index.N: to_translate("Nasal"),
    Index.NI: to_translate("Nasal inferior"),
    Index.TI: to_translate("Temporal inferior"),
}
#: Digits behind the point of values and of slopes.
_DIGITS: Final = {"dB": (1, 2), "µm": (0, 1)}


def place(value: Place) -> str:
    """Return what becomes of a result in the trend."""
    return gettext(_PLACE_WORDS[value])


def measured() -> str:
    """Return that a value was measured."""
    return gettext("measured by perimetry")


def index_name(index: Index) -> str:
    """Return what is followed, in words."""
    return gettext(_SECTOR_WORDS[index])


def value(number: float | None, index: Index) -> str:
    """Return a value with its unit."""
    if number is None:
        return UNKNOWN
    digits = _DIGITS[index.unit][0]
    text = _plain(number, digits) if index is not Index.MEAN_DEVIATION else _signed(number, digits)
    return f"{text} {index.unit}"


def slope(line: Line | NoSlope, index: Index) -> str:
    """Return a slope in its unit per year, or why there is none."""
    if isinstance(line, NoSlope):
        return gettext(_NO_SLOPE_WORDS[line]) % {"visits": MINIMUM_VISITS}
    unit = {"dB": gettext("dB/year"), "µm": gettext("µm/year")}[index.unit]
    return f"{_signed(line.slope_per_year, _DIGITS[index.unit][1])} {unit}"


def interval(line: Line | NoSlope, index: Index) -> str:
    """Return the interval of a slope; empty where there is none."""
    if isinstance(line, NoSlope):
        return ""
    digits = _DIGITS[index.unit][1]
    words = gettext("%(percent)s %% interval %(lower)s to %(upper)s")
    return words % {
        "percent": CONFIDENCE_PERCENT,
        "lower": _signed(line.lower_per_year, digits),
        "upper": _signed(line.upper_per_year, digits),
    }


def device_name(device: Device) -> str:
    """Return maker, model and serial number of a device."""
    name = " ".join(filter(None, (device.manufacturer, device.model)))
    if device.serial_number:
        name = f"{name} ({device.serial_number})" if name else device.serial_number
    return name or gettext("Device unknown")


def change(found: Change) -> str:
    """Return what is another from a visit on."""
    words = [] if found.device is None else [device_name(found.device)]
    if found.model is not None:
        model = gettext("model %(name)s %(version)s")
        words.append(model % {"name": found.model.name, "version": found.model.version})
    if found.scan_kind is not None or not words:
        words.append(gettext(kind_words(found.scan_kind)))
    return "; ".join(words)


def _plain(number: float, digits: int) -> str:
    # Adding 0 turns -0 into 0.
    return f"{round(number, digits) + 0:.{digits}f}".replace("-", "−")


def _signed(number: float, digits: int) -> str:
    rounded = round(number, digits) + 0
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"
