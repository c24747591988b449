from collections.abc import Iterator

import httpx
import pytest

from core.database import Database
from core.model_choice import KnownModel
from core.models import activate_model, register_models, shadow_model
from core.settings import Settings
from core.shadow_predictions import ShadowPrediction, record_shadow_prediction
from core.values.prediction import ModelIdentity
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import http_server

OLD = ModelIdentity("retinervenet", "1.0.0", "sha256:a")
NEW = ModelIdentity("retinervenet", "2.0.0", "sha256:b")
PHOTOGRAPHS = ModelIdentity("fundus_field", "1.0.0", "sha256:c")


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    with database.transaction() as session:
        kinds = {OLD: "profile", NEW: "profile", PHOTOGRAPHS: "fundus"}
        register_models(session, [KnownModel(model, kind) for model, kind in kinds.items()])
    url = http_server(settings, database, Storage(settings.storage))
    with url as address, httpx.Client(timeout=60, base_url=address) as opened:
        yield opened


def test_models_are_listed_with_what_they_do(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        activate_model(session, OLD, "retinervenet")
        shadow_model(session, NEW, "retinervenet")

    items = client.get("/v1/models").json()["items"]

    assert [(item["name"], item["version"], item["state"]) for item in items] == [
        ("fundus_field", "1.0.0", "installed"),
        ("retinervenet", "1.0.0", "active"),
        ("retinervenet", "2.0.0", "shadow"),
    ]


def test_model_found_by_its_name_alone_is_told_as_active(client: httpx.Client) -> None:
    items = client.get("/v1/models").json()["items"]

    assert [item["digest"] for item in items if item["state"] == "active"] == [NEW.digest]


def test_models_come_in_pages(client: httpx.Client) -> None:
    first = client.get("/v1/models", params={"limit": 2}).json()
    last = client.get("/v1/models", params={"limit": 2, "cursor": first["next"]}).json()

    found = [item["digest"] for item in (*first["items"], *last["items"])]
    assert found == [PHOTOGRAPHS.digest, OLD.digest, NEW.digest]
    assert last["next"] is None


def test_shadow_prediction_is_in_no_list_of_predictions(
    client: httpx.Client, database: Database
) -> None:
    prediction = build_prediction()
    assert prediction.estimate is not None
    shadow = ShadowPrediction(
        prediction.prediction_id, NEW, prediction.predicted_at, (), prediction.estimate, -1.0
    )
    with database.transaction() as session:
        keep_prediction(session, prediction)
        record_shadow_prediction(session, shadow)
    study = prediction.source.study_instance_uid

    for path in ("/v1/predictions", f"/v1/studies/{study}/predictions"):
        items = client.get(path).json()["items"]
        assert [item["id"] for item in items] == [prediction.prediction_id]
    changes = client.get("/v1/changes").json()["items"]
    assert [change["subject"] for change in changes] == [prediction.prediction_id]
    assert (
        client.get("/v1/predictions", params={"model": "retinervenet:2.0.0"}).json()["items"] == []
    )
