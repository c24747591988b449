import pytest

from dicom_node.retrieve.get import storage_contexts
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES


@pytest.mark.parametrize("classes", [1, 2, 9, 10, len(ACCEPTED_SOP_CLASSES)])
def test_contexts_of_any_number_of_classes_fit_and_offer_every_encoding(classes: int) -> None:
    contexts = storage_contexts(ACCEPTED_SOP_CLASSES[:classes])

    assert len(contexts) < 128
    for uid in ACCEPTED_SOP_CLASSES[:classes]:
        own = [one for one in contexts if one.abstract_syntax == uid]
        offered = [syntax for one in own for syntax in one.transfer_syntax]
        assert len(offered) == len(set(offered)) == 14


def test_few_classes_have_a_context_for_each_encoding() -> None:
    contexts = storage_contexts(ACCEPTED_SOP_CLASSES[:9])

    assert {len(context.transfer_syntax) for context in contexts} == {1}
