import pytest

from inference.errors import ModelDamaged
from inference.model_card import ModelInput
from inference.runtimes.compiled_network import Port
from inference.runtimes.ports import match_inputs, match_outputs

PROFILE = ModelInput("profile", (768, 1), "µm")
AGE = ModelInput("age", (1,), "year")
FIELD = Port("dense_1", (52,))


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([Port("profile", (768, 1)), Port("age", (1,))], (0, 1)),
        ([Port("age", (1,)), Port("profile", (768, 1))], (1, 0)),
        ([Port("input_1", (1,)), Port("input_2", (768, 1))], (1, 0)),
        ([Port("age", (1,)), Port("profile", (None, 1))], (1, 0)),
    ],
    ids=["as on the card", "turned round", "other names", "open length"],
)
def test_inputs_are_found_by_name_or_shape(ports: list[Port], expected: tuple[int, ...]) -> None:
    assert match_inputs([PROFILE, AGE], ports, "a.keras") == expected


def test_names_decide_where_shapes_do_not() -> None:
    ports = [Port("age", (1,)), Port("profile", (1,))]

    assert match_inputs([ModelInput("profile", (1,), "µm"), AGE], ports, "a.keras") == (1, 0)


def test_model_without_age_takes_the_structure_alone() -> None:
    assert match_inputs([PROFILE], [Port("x", (768, 1))], "a.keras") == (0,)


@pytest.mark.parametrize(
    "ports",
    [
        [],
        [Port("profile", (768, 1))],
        [Port("profile", (256, 1)), Port("age", (1,))],
        [Port("profile", (768, 1)), Port("age", (1,)), Port("pressure", (1,))],
        [Port("a", (768, 1)), Port("b", (768, 1))],
    ],
    ids=["none", "no age", "other length", "one more", "twice"],
)
def test_inputs_unlike_the_card_are_refused(ports: list[Port]) -> None:
    with pytest.raises(ModelDamaged, match=r"its card says `profile` \(768, 1\), `age` \(1,\)"):
        match_inputs([PROFILE, AGE], ports, "a.keras")


def test_inputs_no_scan_gives_are_refused() -> None:
    with pytest.raises(ModelDamaged, match="names the inputs profile, pressure"):
        match_inputs([PROFILE, ModelInput("pressure", (1,), "mmHg")], [], "a.keras")


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([FIELD], (0, None)),
        ([Port("output_0", (52,))], (0, None)),
        ([FIELD, Port("spread", (52, 2))], (0, 1)),
        ([Port("output_1", (52, 2)), Port("output_0", (52,))], (1, 0)),
    ],
    ids=["field", "other name", "with spread", "other names, turned round"],
)
def test_outputs_are_found_by_name_or_shape(
    ports: list[Port], expected: tuple[int, int | None]
) -> None:
    assert match_outputs(ports, "dense_1", "a.keras") == expected


@pytest.mark.parametrize(
    "ports",
    [
        [],
        [Port("dense_1", (54,))],
        [FIELD, Port("mean", (1,))],
        [Port("a", (52,)), Port("b", (52,))],
        [Port("spread", (52, 2))],
    ],
    ids=["none", "54 points", "one more", "two fields", "no field"],
)
def test_outputs_without_one_field_are_refused(ports: list[Port]) -> None:
    with pytest.raises(ModelDamaged, match="not the field `dense_1` of 52 points"):
        match_outputs(ports, "dense_1", "a.keras")
