"""What a perimeter and a clinic's programs see of a running node, from association to message."""

from pathlib import Path

import numpy as np
import pytest

from arcuate.roles import Role
from arcuate.waiting import wait_until
from core.clock import utc_now
from core.settings import Settings
from core.values.laterality import Laterality
from core.webhooks import Subscription, add_webhook
from tests.builders.opv import build_field_db, build_opv
from tests.fixtures.event_client import listening
from tests.fixtures.node import PATIENCE_SECONDS, running_node
from tests.fixtures.webhook_receiver import webhook_receiver

_ROLES = (Role.RECEIVE, Role.DELIVER, Role.SERVE)


# Each part is tried on both databases in its own file; here is that they are put together.
@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sent_tests_become_measured_fields_and_everybody_who_listens_hears_of_them(
    settings: Settings, tmp_path: Path
) -> None:
    fields = {eye: build_field_db(depth) for eye, depth in zip(Laterality, (4, 9), strict=True)}
    datasets = [build_opv(eye, sensitivities_db=field) for eye, field in fields.items()]
    with webhook_receiver() as receiver, running_node(settings, _ROLES) as node:
        with node.database.transaction() as session:
            wanted = Subscription("emr", receiver.url, ["measured_field_recorded"])
            receiver.secret = add_webhook(session, wanted, False, utc_now()).secret
        with receiver.up(), listening(str(node.client.base_url).rstrip("/")) as client:
            results = node.send_datasets(tmp_path / "sent", *datasets)
            heard = client.take(4)
            assert wait_until(lambda: len(receiver.taken) == 2, PATIENCE_SECONDS)
        items = node.get("/v1/patients/P-0001/measured-fields")["items"]
        instances = node.get(f"/v1/studies/{datasets[0].StudyInstanceUID}/instances")["items"]

    assert [result.status for result in results] == [0, 0]
    kinds = sorted(event["kind"] for event in heard)
    assert kinds == ["instance_received"] * 2 + ["measured_field_recorded"] * 2
    assert all(message.is_signed for message in receiver.taken)
    links = [message.body["links"]["measured_field"] for message in receiver.taken]
    assert sorted(links) == sorted(item["links"]["self"] for item in items)
    assert {item["laterality"] for item in items} == {"R", "L"}
    for item in items:
        expected = fields[Laterality(item["laterality"])]
        np.testing.assert_allclose(item["sensitivities"], expected, atol=1e-3)
    # They stay what they are: nothing for a model, and nothing of ours is made from them.
    assert [one["outcome"] for one in instances] == ["not_model_input"] * 2
