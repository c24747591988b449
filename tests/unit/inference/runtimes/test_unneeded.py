"""What is left out while a library loads, seen in an interpreter of its own."""

from tests.unit.inference.test_predictor import run_python

_BEGINNING = "import sys; from inference.runtimes.unneeded import left_out\n"


def test_package_is_as_if_not_installed_and_then_there_again() -> None:
    program = """
with left_out("matplotlib"):
    try:
        import matplotlib.figure
    except ImportError as error:
        print(type(error).__name__)
import matplotlib.figure
print(matplotlib.figure.Figure.__name__)
"""

    assert run_python(_BEGINNING + program).split() == ["ModuleNotFoundError", "Figure"]


def test_package_that_is_loaded_stays() -> None:
    program = """
import json
with left_out("json"):
    import json
print(sys.modules["json"] is json)
"""

    assert run_python(_BEGINNING + program) == "True"


def test_network_is_loaded_without_what_draws() -> None:
    program = """
from inference.model_store import ModelStore
from inference.predictor import Predictor
Predictor.load(ModelStore().load_card("retinervenet", "2.1.0"), "cpu")
print("tensorflow" in sys.modules, "matplotlib" in sys.modules)
"""

    assert run_python(_BEGINNING + program) == "True False"
