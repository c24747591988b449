"""What the pages of these tests are about, and a reader who signs in."""

from playwright.sync_api import Page, expect

from core.database import Database
from core.keys import create_key
from core.values.identity import InstanceIdentity
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from tests.builders.archive import keep_prediction
from tests.builders.prediction import Loss, build_prediction

PREVIEW = "previews/ab/scan.png"


def keep(database: Database) -> str:
    """Keep a left eye with a loss and a scan without an estimate; return an API key."""
    with database.transaction() as session:
        left = build_prediction(prediction_id="left", laterality=Laterality.LEFT, loss=Loss.ARCUATE)
        keep_prediction(session, left, PREVIEW)
        refused = build_prediction(
            prediction_id="refused",
            source=InstanceIdentity("1.2", "1.3", "1.4"),
            status=PredictionStatus.NOT_ASSESSABLE,
        )
        keep_prediction(session, refused)
        return create_key(session, "browser")


def sign_in(page: Page, key: str) -> None:
    page.goto("/")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
    # Only then have its scripts run.
    page.wait_for_load_state("load")
