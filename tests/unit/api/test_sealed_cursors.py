import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import CursorInvalid
from api.sealed_cursors import seal, unseal

KEY = bytes(32)


@given(st.text(min_size=1, max_size=300).filter(lambda text: text.isprintable()))
def test_what_was_sealed_is_read_again_and_by_its_key_alone(position: str) -> None:
    cursor = seal(KEY, position)

    assert unseal(KEY, cursor) == position
    with pytest.raises(CursorInvalid):
        unseal(b"1" * 32, cursor)


@given(st.text(max_size=100))
def test_what_was_not_sealed_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        unseal(KEY, cursor)


def test_same_position_never_looks_the_same() -> None:
    # Long enough that no random letters spell it.
    position = "2012-05-06 p1 of PAT-000001"

    assert seal(KEY, position) != seal(KEY, position)
    assert position not in seal(KEY, position)
    assert "PAT-000001" not in seal(KEY, position)
