"""Global indices and reliability of a test, as the device gave them."""

from typing import Final

from pydicom.dataset import Dataset

from core.values.measured_field import Reliability
from dicom_node.devices.attributes import items_of, numbers_of, text_of, whole_number_of

#: What devices write where a number is not available.
_NOT_AVAILABLE: Final = -100.0


def first_item(dataset: Dataset, keyword: str) -> Dataset:
    """Return the first item of a sequence, an empty one where there is none."""
    return next(iter(items_of(dataset, keyword)), Dataset())


def number_of(dataset: Dataset, keyword: str) -> float | None:
    """Return a number, None where there is not exactly one, or where it is not available."""
    numbers = numbers_of(dataset, keyword)
    known = len(numbers) == 1 and numbers[0] != _NOT_AVAILABLE
    return round(numbers[0], 4) if known else None


def read_index_number(dataset: Dataset, code: str) -> float | None:
    """Return a numeric index of Visual Field Global Results Index Sequence (0024,0320)."""
    observation = _observation(dataset, code)
    return None if observation is None else number_of(observation, "NumericValue")


def read_index_words(dataset: Dataset, code: str) -> str:
    """Return a coded index of that sequence in words, empty where there is none."""
    observation = _observation(dataset, code)
    if observation is None:
        return ""
    return text_of(first_item(observation, "ConceptCodeSequence"), "CodeMeaning")


def read_reliability(dataset: Dataset) -> Reliability:
    """Return how the patient did."""
    fixation = first_item(dataset, "FixationSequence")
    trials = first_item(dataset, "VisualFieldCatchTrialSequence")
    return Reliability(
        fixation_checks=whole_number_of(fixation, "FixationCheckedQuantity"),
        fixation_losses=whole_number_of(fixation, "PatientNotProperlyFixatedQuantity"),
        false_positive_percent=_percent(
            trials,
            "FalsePositivesEstimate",
            ("FalsePositivesQuantity", "PositiveCatchTrialsQuantity"),
        ),
        false_negative_percent=_percent(
            trials,
            "FalseNegativesEstimate",
            ("FalseNegativesQuantity", "NegativeCatchTrialsQuantity"),
        ),
        test_duration_seconds=number_of(dataset, "VisualFieldTestDuration"),
    )


def _observation(dataset: Dataset, code: str) -> Dataset | None:
    for item in items_of(dataset, "VisualFieldGlobalResultsIndexSequence"):
        for observation in items_of(item, "DataObservationSequence"):
            if text_of(first_item(observation, "ConceptNameCodeSequence"), "CodeValue") == code:
                return observation
    return None


def _percent(trials: Dataset, estimate: str, counts: tuple[str, str]) -> float | None:
    """Return the device's own estimate or, as older ones count, wrong answers of catch trials."""
    stated = number_of(trials, estimate)
    if stated is not None:
        return stated
    wrong, asked = (whole_number_of(trials, keyword) for keyword in counts)
    return None if wrong is None or not asked else round(100 * wrong / asked, 4)
