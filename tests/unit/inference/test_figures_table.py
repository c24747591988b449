from inference.figures_table import location_map, table, tables
from inference.model_card import Figures


def test_table_has_a_row_per_predictor_and_leaves_out_what_is_not_known() -> None:
    row = Figures("age norm", 4.123, 7.0, 3.4, early_mae_db=2.36, moderate_mae_db=8.5)

    lines = table([row]).splitlines()

    assert {line.count("|") for line in lines} == {8}
    assert lines[-1] == "| age norm | 4.12 | 7.00 | – | 2.36 | 8.50 | – |"


def test_figures_of_other_eyes_are_another_table() -> None:
    rows = [
        Figures("model", 2.9, 4.5, 1.7, measured_on="profiles"),
        Figures("model", 3.0, 4.6, 1.8, measured_on="sectors"),
    ]

    text = tables(rows)

    assert text.index("profiles") < text.index("2.90") < text.index("sectors") < text.index("3.00")
    assert text.count("| predictor |") == 2


def test_location_map_shows_each_point_where_it_lies_in_a_right_eye() -> None:
    lines = location_map([float(point) for point in range(52)]).splitlines()

    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[0] == [r"y \ x", *[f"{x}°" for x in range(-27, 22, 6)]]
    assert cells[2] == ["21°", "", "", "", "0.0", "1.0", "2.0", "3.0", "", ""]
    # The blind spot at (15, ±3) is no point of the field.
    assert cells[5] == ["3°", "18.0", "19.0", "20.0", "21.0", "22.0", "23.0", "24.0", "", "25.0"]
    assert len(cells) == 2 + 8
