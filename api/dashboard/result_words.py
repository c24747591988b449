"""How the parts of a result read on its page, in the reader's language."""

from typing import Final

from api.dashboard.fundus_view import FundusView
from api.dashboard.translation import gettext, to_translate
from core.values.fundus_place import FundusSource
from core.values.prediction import ModelIdentity
from core.values.scan import Device

_SECTORS: Final = {
    "T": to_translate("temporal"),
    "TS": to_translate("superotemporal"),
    "NS": to_translate("superonasal"),
    "N": to_translate("nasal"),
    "NI": to_translate("inferonasal"),
    "TI": to_translate("inferotemporal"),
}
_FUNDUS: Final = {
    FundusSource.LOCALIZER: to_translate(
        "Picture of the fundus with the measured circle, the course of the nerve fibres to each "
        "point of the field, and the points where the retina sees them"
    ),
    FundusSource.THICKNESS_MAP: to_translate(
        "Thickness map of the device with the measured circle, the course of the nerve fibres to "
        "each point of the field, and the points where the retina sees them"
    ),
    FundusSource.PHOTOGRAPH: to_translate(
        "Photograph of the fundus with the ring that was read, the course of the nerve fibres to "
        "each point of the field, and the points where the retina sees them"
    ),
    None: to_translate(
        "Drawing of a retina: disc, fovea, circle, the course of the nerve fibres to each point of "
        "the field, and the points where the retina sees them"
    ),
}


def sector(name: str) -> str:
    """Return a disc sector in words."""
    return gettext(_SECTORS[name])


def fundus_words(fundus: FundusView) -> str:
    """Return what the drawing of the retina shows, for people who do not see it."""
    return gettext(_FUNDUS[None if fundus.picture is None else fundus.picture.source])


def device_named(device: Device) -> str:
    """Return maker, model and serial number: what tells one device from another."""
    known = filter(None, (device.manufacturer, device.model, device.serial_number))
    return " ".join(known) or gettext("unknown")


def model_named(model: ModelIdentity) -> str:
    """Return name, version and the beginning of the digest: what tells one model from another."""
    return f"{model.name} {model.version} ({model.digest.removeprefix('sha256:')[:8]})"
