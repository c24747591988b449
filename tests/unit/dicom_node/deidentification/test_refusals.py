import pytest
from pydicom import Dataset

from dicom_node.deidentification.refusals import Refusal, leaves_text_unsaid, refusal_of
from tests.builders.identified import identified

_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("dataset", "refusal"),
    [
        (identified(), None),
        (identified(BurnedInAnnotation=None), None),
        (identified(BurnedInAnnotation="YES"), Refusal.BURNED_IN),
        (identified(RecognizableVisualFeatures="YES"), Refusal.FACE),
        (identified(SOPClassUID=_CAPTURE, BurnedInAnnotation=None), Refusal.SECONDARY_CAPTURE),
        (
            identified(SOPClassUID=f"{_CAPTURE}.4", BurnedInAnnotation=None),
            Refusal.SECONDARY_CAPTURE,
        ),
        (identified(SOPClassUID=_CAPTURE, BurnedInAnnotation="NO"), None),
        # Ophthalmic Photography begins with the same digits.
        (identified(SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.5.1", BurnedInAnnotation=None), None),
        (identified(SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1"), Refusal.ENCAPSULATED),
        (identified(EncapsulatedDocument=b"%PDF"), Refusal.ENCAPSULATED),
        (identified(SOPClassUID="1.2.840.10008.5.1.4.1.1.66"), Refusal.RAW_DATA),
    ],
)
def test_what_cannot_be_cleaned_is_refused(dataset: Dataset, refusal: Refusal | None) -> None:
    assert refusal_of(dataset, _NONE) is refusal


def test_analysis_that_saw_drawings_refuses_too() -> None:
    assert refusal_of(identified(), frozenset({"derived_or_burned_in"})) is Refusal.BURNED_IN
    assert refusal_of(identified(), frozenset({"signal_too_low"})) is None


def test_images_that_do_not_say_are_known() -> None:
    assert leaves_text_unsaid(identified(BurnedInAnnotation=None))
    assert not leaves_text_unsaid(identified())
    assert not leaves_text_unsaid(identified(BurnedInAnnotation=None, Rows=None))


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_is_explained(refusal: Refusal) -> None:
    assert refusal.explanation.endswith(".")
