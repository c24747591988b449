from datetime import UTC, datetime

from api.schemas.models import model_of
from core.model_choice import KnownModel
from core.tables.models import ModelState
from core.values.prediction import ModelIdentity


def test_model_is_told_in_the_state_it_really_is_in() -> None:
    since = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    model = KnownModel(
        ModelIdentity("othernet", "1.0.0", "sha256:ab"), "profile", ModelState.ACTIVE, since
    )

    told = model_of(model, ModelState.INSTALLED).model_dump(mode="json")

    assert told == {
        "name": "othernet",
        "version": "1.0.0",
        "kind": "profile",
        "state": "installed",
        "since": "2026-03-04T09:30:00Z",
        "digest": "sha256:ab",
    }
