"""The order a scan was made for, as the report refers to it (0040,A370)."""

from typing import Final

from pydicom import Dataset

#: Type 2 of the Referenced Request Sequence: where it stands in the request attributes.
_COPIED: Final = (
    "AccessionNumber",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "RequestedProcedureCodeSequence",
)
_EMPTY: Final = (
    "ReferencedStudySequence",
    "PlacerOrderNumberImagingServiceRequest",
    "FillerOrderNumberImagingServiceRequest",
)


def referenced_requests(header: Dataset) -> list[Dataset] | None:
    """Return one item an order of the source, None where it names none."""
    requests = header.get("RequestAttributesSequence") or []
    return [_request(request, header) for request in requests] or None


def _request(attributes: Dataset, header: Dataset) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = attributes.get("StudyInstanceUID") or header.StudyInstanceUID
    for keyword in _EMPTY:
        setattr(item, keyword, None)
    for keyword in _COPIED:
        if keyword in attributes:
            item[keyword] = attributes[keyword]
        else:
            setattr(item, keyword, None)
    if not item.AccessionNumber:
        item["AccessionNumber"] = header["AccessionNumber"]
    return item
