"""The fast part of fuzzing: every seed, every old finding, and changes of them by a fixed seed."""

import random

import pytest

from tests.fuzz.seeds import seeds_of
from tests.fuzz.targets import TARGETS

CHANGED_INPUTS = {"store_receiver": 300, "incoming_file": 300}
_DEFAULT_CHANGED_INPUTS = 3000
#: What lengths and tags go wrong with.
_ODD = (b"\0", b"\xff" * 4, b"\xff\xff\xff\xfe", b"\x7f\xe0", b"\xfe\xff\0\xe0", b"\x1b$B", b"SQ")


def change(content: bytes, chance: random.Random) -> bytes:
    """Return it with a few bytes changed, cut out, repeated or put in."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(changed))
        end = min(len(changed), start + chance.choice((0, 1, 2, 4, 8, 200)))
        put = chance.choice((chance.choice(_ODD), chance.randbytes(chance.randint(0, 8))))
        if chance.random() < 0.2:
            put = bytes(changed[start:end]) * 3
        changed[start:end] = put
    return bytes(changed)


@pytest.mark.parametrize("name", TARGETS)
def test_target_holds_for_seeds_and_changes_of_them(name: str) -> None:
    chance, seeds = random.Random(20240320), seeds_of(name)  # noqa: S311 - repeatable

    for seed in (b"", *seeds):
        TARGETS[name](seed)
    for _ in range(CHANGED_INPUTS.get(name, _DEFAULT_CHANGED_INPUTS)):
        TARGETS[name](change(chance.choice(seeds), chance))
