"""What can go wrong between a scan and a prediction."""

from core.errors import InfrastructureError, NodeError


class ModelNotFound(NodeError):
    """No model of that name and version is installed."""


class ModelDamaged(NodeError):
    """The model's files are not those its card describes."""


class PredictionFailed(NodeError):
    """The model gave no usable field."""

    retry = True


class OutOfMemory(InfrastructureError):
    """The device has too little memory for the batch, at last for a single eye."""


class InputOutsideIntendedUse(NodeError):
    """The model was not made for this input."""


class ExecutorAway(InfrastructureError):
    """What computes for this node does not answer; the scans wait."""


class DeviceUnavailable(NodeError):
    """The accelerator asked for is not there."""


class RuntimeUnavailable(NodeError):
    """The library that would run the model is not installed, or not one that is served."""


class ExportRefused(NodeError):
    """The network cannot be written in another form, or gives other fields in it."""


class PreparationDied(NodeError):
    """The process that prepared the scan died."""

    retry = True


class PreparationHung(PreparationDied):
    """The process that prepared the scan did not come to an end and was killed."""


class PreparationAway(InfrastructureError):
    """A process that prepares scans could not be started, or reaches neither record nor bytes."""


class TrainingDataInvalid(NodeError):
    """The data to train on are missing or unusable."""


class ModelAddingRefused(NodeError):
    """Another model is installed under that version, or with those weights."""


class TrainingToolMissing(NodeError):
    """What was asked for while training needs a package that is not installed."""
