"""Messages in any order, whole, halved or wrong: the receiver does what a simple model says."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dicom_node.receive.store_receiver import ProtocolViolated
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import encode_instance
from tests.builders.messages import command_set, fragments, pdu_of, store_command
from tests.fuzz.seeds import ABORT, RELEASE_REQUEST
from tests.fuzz.targets import Wire, open_fuzz_archive, receiver_on

OBJECTS: Final = [encode_instance(SOPInstanceUID=f"1.2.3.7.{n}") for n in range(1, 4)]
REFUSED: Final = encode_instance(SOPInstanceUID="1.2.3.7.9", PatientID="")
ECHO: Final = pdu_of(
    fragments(
        command_set([(0x0100, b"\x30\0"), (0x0110, b"\1\0"), (0x0800, b"\1\1")]), is_command=True
    )
)
MOVES: Final = ("whole", "refused", "half", "rest", "echo", "abort", "release", "other_context")


@dataclass
class Model:
    """What is to be expected of a sequence of moves."""

    sent: bytes = b""
    statuses: list[int] = field(default_factory=list)
    handed_back: list[bytes] = field(default_factory=list)
    is_violated: bool = False
    _half: EncodedInstance | None = None

    def move(self, name: str, encoded: EncodedInstance, sizes: Sequence[int]) -> None:
        if not self.is_violated:
            act: Callable[[EncodedInstance, Sequence[int]], None] = getattr(self, f"_{name}")
            act(encoded, sizes)

    def _whole(self, encoded: EncodedInstance, sizes: Sequence[int]) -> None:
        self._begin(encoded, sizes)
        self._data(encoded, sizes)
        self._expect(0)

    def _refused(self, _encoded: EncodedInstance, sizes: Sequence[int]) -> None:
        self._begin(REFUSED, sizes)
        self._data(REFUSED, sizes)
        self._expect(0xC000)

    def _half_(self, encoded: EncodedInstance, sizes: Sequence[int]) -> None:
        self._begin(encoded, sizes)
        part = fragments(encoded.data_set, is_command=False, sizes=[100])[:1]
        self.sent += pdu_of(part)
        if not self.is_violated:
            self._half = encoded

    def _rest(self, encoded: EncodedInstance, sizes: Sequence[int]) -> None:
        if self._half is None:
            self._data(encoded, sizes)
            self.is_violated = True
            return
        self.sent += pdu_of(fragments(self._half.data_set[100:], is_command=False, sizes=sizes))
        self._half = None
        self._expect(0)

    def _echo(self, _encoded: EncodedInstance, _sizes: Sequence[int]) -> None:
        self.sent += ECHO
        self.is_violated = self._half is not None
        if not self.is_violated:
            self.handed_back.append(ECHO)

    def _abort(self, _encoded: EncodedInstance, _sizes: Sequence[int]) -> None:
        self.sent += ABORT
        self.handed_back.append(ABORT)
        self._half = None

    def _release(self, _encoded: EncodedInstance, _sizes: Sequence[int]) -> None:
        self.sent += RELEASE_REQUEST
        self.handed_back.append(RELEASE_REQUEST)
        self._half = None

    def _other_context(self, encoded: EncodedInstance, _sizes: Sequence[int]) -> None:
        command = fragments(store_command(encoded), is_command=True, context_id=9)
        self.sent += pdu_of(command)
        self.is_violated = True

    def _begin(self, encoded: EncodedInstance, sizes: Sequence[int]) -> None:
        self.sent += pdu_of(fragments(store_command(encoded), is_command=True, sizes=sizes[:2]))
        self.is_violated = self._half is not None

    def _data(self, encoded: EncodedInstance, sizes: Sequence[int]) -> None:
        for part in fragments(encoded.data_set, is_command=False, sizes=sizes):
            self.sent += pdu_of([part])

    def _expect(self, status: int) -> None:
        if not self.is_violated:
            self.statuses.append(status)


def receive(sent: bytes, piece: int) -> tuple[list[int], list[bytes], bool]:
    """Return the statuses, what was handed back, and whether the protocol was violated."""
    archive, wire = open_fuzz_archive(), Wire(bytes([piece]) + sent)
    receiver = receiver_on(wire, archive)
    handed_back: list[bytes] = []
    is_violated = False
    try:
        while True:
            handed_back += receiver.serve()
    except ProtocolViolated:
        is_violated = True
    except OSError:
        # All was read.
        pass
    assert not list((archive.storage.root / ".unfinished").iterdir())
    return [_status_of(answer) for answer in wire.answers], handed_back, is_violated


def _status_of(answer: bytes) -> int:
    place = answer.index(struct.pack("<HHI", 0, 0x0900, 2)) + 8
    return int.from_bytes(answer[place : place + 2], "little")


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(MOVES),
            st.sampled_from(OBJECTS),
            st.lists(st.integers(0, 60), max_size=4),
        ),
        max_size=8,
    ),
    piece=st.integers(0, 3),
)
def test_any_order_of_messages_is_answered_as_the_model_says(
    moves: list[tuple[str, EncodedInstance, list[int]]], piece: int
) -> None:
    model = Model()
    for name, encoded, sizes in moves:
        model.move("half_" if name == "half" else name, encoded, sizes)

    assert receive(model.sent, piece) == (model.statuses, model.handed_back, model.is_violated)
