"""The Store Instances Response Module (PS3.18 10.5.3) in the DICOM JSON model (PS3.18 annex F)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.dicomweb.retrieve_urls import Location
from api.dicomweb.store_outcome import FailedInstance, StoredInstance, StoreOutcome
from dicom_node.storage.failure_reasons import failure_reason_of

_RETRIEVE_URL: Final = "00081190"
_REFERENCED_SOP_SEQUENCE: Final = "00081199"
_FAILED_SOP_SEQUENCE: Final = "00081198"
#: For what could not be referenced: nothing in it said which instance it is.
_OTHER_FAILURES_SEQUENCE: Final = "0008119A"
_REFERENCED_SOP_CLASS_UID: Final = "00081150"
_REFERENCED_SOP_INSTANCE_UID: Final = "00081155"
_FAILURE_REASON: Final = "00081197"

Attributes = dict[str, Any]


def store_response(outcome: StoreOutcome, locations: Mapping[int, Location]) -> Attributes:
    """Return the attributes that answer a request.

    Parameters
    ----------
    locations
        Where each stored instance is found, by the primary key of its row.
    """
    named = [failed for failed in outcome.failed if failed.sop_instance_uid]
    unnamed = [failed for failed in outcome.failed if not failed.sop_instance_uid]
    stored = [_stored(instance, locations[instance.instance_key]) for instance in outcome.stored]
    sequences = {
        _REFERENCED_SOP_SEQUENCE: stored,
        _FAILED_SOP_SEQUENCE: [_failed(instance) for instance in named],
        _OTHER_FAILURES_SEQUENCE: [_reason(instance) for instance in unnamed],
    }
    return {
        **_study_url(locations),
        **{tag: _attribute("SQ", *items) for tag, items in sequences.items() if items},
    }


def _study_url(locations: Mapping[int, Location]) -> Attributes:
    # Objects of several studies have no study in common: the attribute is there without a value.
    urls: Sequence[str] = sorted({location.study_url for location in locations.values()})
    return {_RETRIEVE_URL: _attribute("UR", *(urls if len(urls) == 1 else ()))}


def _stored(instance: StoredInstance, location: Location) -> Attributes:
    return {**_reference(instance), _RETRIEVE_URL: _attribute("UR", location.url)}


def _failed(instance: FailedInstance) -> Attributes:
    return {**_reference(instance), **_reason(instance)}


def _reference(instance: StoredInstance | FailedInstance) -> Attributes:
    return {
        _REFERENCED_SOP_CLASS_UID: _attribute("UI", *filter(None, [instance.sop_class_uid])),
        _REFERENCED_SOP_INSTANCE_UID: _attribute("UI", instance.sop_instance_uid),
    }


def _reason(instance: FailedInstance) -> Attributes:
    return {_FAILURE_REASON: _attribute("US", failure_reason_of(instance.error))}


def _attribute(vr: str, *values: Any) -> Attributes:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}
