from pathlib import Path

import pytest

from inference.errors import ModelNotFound
from inference.figures_table import refusal_table
from inference.model_store import ModelStore
from inference.refusals import RefusalSettings, RefusalShare, measure_refusals
from tests.unit.inference.small_models import small_model


@pytest.fixture(scope="module")
def shares(shared_data: Path) -> dict[str, RefusalShare]:
    bank = shared_data / "visual-field" / "uwhvf_td_bank.npz"
    settings = RefusalSettings(bank, eyes=1500, scans=8)
    found = measure_refusals(ModelStore().load_card("retinervenet", "2.1.0"), settings)
    return {share.profiles: share for share in found}


def test_shipped_gate_lets_eyes_through(shares: dict[str, RefusalShare]) -> None:
    eyes = {name: share for name, share in shares.items() if share.should_pass}

    assert {name: share.count for name, share in eyes.items()} == {
        "simulated eyes of test patients": 1500,
        "the same, rebuilt from six sectors": 1500,
        "eyes of varied build": 1500,
        "eyes with wedge-shaped loss": 1500,
        "segmented in simulated B-scans": 8,
    }
    assert all(share.refused_share < 0.01 for share in eyes.values()), eyes


@pytest.mark.parametrize(
    "mistake", ["constant", "noise", "samples shuffled", "in mm", "swollen to 280 µm"]
)
def test_shipped_gate_refuses_what_is_no_profile(
    shares: dict[str, RefusalShare], mistake: str
) -> None:
    assert shares[mistake].refused_share > 0.999


# Keras itself warns when it saves with TensorFlow and NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_model_without_a_gate_has_nothing_to_count(tmp_path: Path) -> None:
    card = small_model(tmp_path)

    with pytest.raises(ModelNotFound, match="no gate"):
        measure_refusals(card, RefusalSettings(None, eyes=10, scans=0))


def test_the_table_tells_in_percent() -> None:
    table = refusal_table([RefusalShare("noise", 3, should_pass=False, refused_share=2 / 3)])

    assert table.splitlines()[-1] == "| noise | 3 | no | 66.67 |"
