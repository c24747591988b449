"""Answers on an association of ours that its own thread takes from under whoever waits for them."""

from collections.abc import Iterator

import pytest
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_ECHO
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from dicom_node.scu.association import associate
from tests.fixtures.dicom_server import DEVICE, running_node

PATIENCE_SECONDS = 60.0

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def association(settings: Settings, database: Database) -> Iterator[Association]:
    with (
        running_node(settings, database) as node,
        associate(node.address, DEVICE, [build_context(Verification)]) as opened,
    ):
        yield opened


def answer(number: int) -> C_ECHO:
    message = C_ECHO()
    message.MessageIDBeingRespondedTo, message.Status = number, 0x0000
    return message


def context_id(association: Association) -> int:
    [context] = association.accepted_contexts
    assert context.context_id is not None
    return context.context_id


def test_answer_that_is_waited_for_comes_before_those_after_it(association: Association) -> None:
    number = context_id(association)
    first, second = answer(1), answer(2)
    association._reactor_checkpoint.clear()
    assert wait_until(lambda: association._is_paused, PATIENCE_SECONDS)
    association.dimse.msg_queue.put((number, second))

    # As its own thread does, which took it the moment before it paused.
    association._serve_request(first, number)

    taken = [association.dimse.get_msg(block=True)[1] for _ in range(2)]
    association._reactor_checkpoint.set()
    assert taken == [first, second]
    assert association.send_c_echo().Status == 0x0000


def test_answer_that_nobody_waits_for_is_none_of_the_next_request(association: Association) -> None:
    association._serve_request(answer(1), context_id(association))

    assert association.dimse.msg_queue.empty()
