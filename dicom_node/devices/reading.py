"""From a DICOM object to a scan: the door other rooms use."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import OphthalmicThicknessMapStorage, OphthalmicTomographyImageStorage

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import Scan
from dicom_node.devices.attributes import (
    items_of,
    silenced_reader,
    text_of,
    whole_number_of,
)
from dicom_node.devices.functional_groups import every_item
from dicom_node.devices.fundus_photograph import read_photograph
from dicom_node.devices.input_class import is_model_input, is_photograph
from dicom_node.devices.laterality import read_laterality
from dicom_node.devices.register import profile_of
from dicom_node.devices.thickness_map import read_thickness_map
from dicom_node.devices.tomography import read_tomography

#: What reads an object of each SOP Class, given its own localizer and its eye.
_READERS: Final[dict[str, Callable[[Dataset, Dataset | None, Laterality], Scan]]] = {
    OphthalmicTomographyImageStorage: read_tomography,
    OphthalmicThicknessMapStorage: read_thickness_map,
}
#: CID 4264 (Ophthalmic Map Purpose of Reference).
_LOCALIZER: Final = "121311"


def read_scan(dataset: Dataset, localizer: Dataset | None = None) -> Scan:
    """Return what the device measured, or say why the object must not be scored.

    Parameters
    ----------
    dataset
        The object with its file meta information.
    localizer
        The picture `read_localizer_reference` names, where the archive has it. Another picture is
        left aside, with a note.

    Raises
    ------
    ScanRefused
        With the one reason, what decided it and what to do.
    """
    with silenced_reader():
        if is_photograph(text_of(dataset, "SOPClassUID")):
            return read_photograph(dataset)
        _refuse_other_objects(dataset)
        localizer, notes = _own_localizer(dataset, localizer)
        laterality = read_laterality(dataset, localizer)
        read = _READERS.get(text_of(dataset, "SOPClassUID"))
        if read is None:
            raise _not_model_input()
        scan = read(dataset, localizer, laterality)
        return replace(scan, notes=(*notes, *scan.notes))


def read_localizer_reference(dataset: Dataset) -> str | None:
    """Return the SOP Instance UID of the picture the scan was planned on, None if it names none."""
    with silenced_reader():
        for group in ("OphthalmicFrameLocationSequence", "ReferencedImageSequence"):
            items = (*every_item(dataset, group), *items_of(dataset, group))
            uid = _first_reference(items)
            if uid is not None:
                return uid
        references = items_of(dataset, "ReferencedInstanceSequence")
        return _first_reference(tuple(filter(_is_localizer, references)))


def _first_reference(items: tuple[Dataset, ...]) -> str | None:
    return next(filter(None, (text_of(item, "ReferencedSOPInstanceUID") for item in items)), None)


def _is_localizer(reference: Dataset) -> bool:
    """Tell whether a thickness map refers to its localizer rather than to another object."""
    purposes = items_of(reference, "PurposeOfReferenceCodeSequence")
    return any(text_of(purpose, "CodeValue") == _LOCALIZER for purpose in purposes)


def _refuse_other_objects(dataset: Dataset) -> None:
    refusal = profile_of(dataset).refusal(dataset)
    if refusal is not None:
        raise refusal
    kind = text_of(dataset, "SOPClassUID"), text_of(dataset, "Modality")
    if not is_model_input(*kind, text_of(dataset, "Manufacturer")):
        raise _not_model_input()
    parts = whole_number_of(dataset, "InConcatenationTotalNumber")
    if parts is not None and parts > 1:
        raise ScanRefused(
            ReasonCode.NOT_MODEL_INPUT,
            f"The object is one of {parts} parts of a concatenation, which are not put together "
            "here. Export the scan as one object.",
        )
    if text_of(dataset, "BurnedInAnnotation").upper() == "YES":
        raise ScanRefused(
            ReasonCode.DERIVED_OR_BURNED_IN,
            "Burned In Annotation (0028,0301) says YES: text or marks may stand over the picture. "
            "Export the original scan.",
        )


def _not_model_input() -> ScanRefused:
    return ScanRefused(
        ReasonCode.NOT_MODEL_INPUT,
        "The object is no scan of a kind that is read: no active model takes it. Nothing to do.",
    )


def _own_localizer(
    dataset: Dataset, localizer: Dataset | None
) -> tuple[Dataset | None, tuple[str, ...]]:
    """Return the localizer if it is the one the scan names, otherwise None with a note."""
    if localizer is None:
        return None, ()
    if text_of(localizer, "SOPInstanceUID") == read_localizer_reference(dataset):
        return localizer, ()
    return None, ("The picture at hand is not the localizer the scan refers to; left aside.",)
