"""Which objects get an analyse job; what the scan really is, the analysis decides."""

from typing import Final

from core.tables.instances import InstanceOutcome
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY, RAW_DATA

#: Modality (0008,0060) of Ophthalmic Tomography.
_TOMOGRAPHY_MODALITY: Final = "OPT"


def first_outcome(sop_class_uid: str, modality: str) -> InstanceOutcome:
    """Return how a received instance starts: pending its analysis, or at once not for a model.

    Raw Data with Modality OPT is what some devices send instead of a tomography: it is analysed, so
    that the answer names the cause instead of silence.
    """
    if sop_class_uid == OPHTHALMIC_TOMOGRAPHY:
        return InstanceOutcome.PENDING
    if sop_class_uid == RAW_DATA and modality == _TOMOGRAPHY_MODALITY:
        return InstanceOutcome.PENDING
    return InstanceOutcome.NOT_MODEL_INPUT
