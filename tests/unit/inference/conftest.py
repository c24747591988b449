import pytest

from core.database import Database
from core.settings import Settings
from dicom_node.storage.archive import Archive
from inference.model_store import ModelStore
from inference.predictor import Predictor
from tests.builders.received import open_test_archive


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture(scope="session")
def shipped_predictor() -> Predictor:
    """The model that comes with the product, warm."""
    return Predictor.load(ModelStore().load_card("retinervenet"), "cpu")
