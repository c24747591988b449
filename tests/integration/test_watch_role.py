"""A node that watches a folder, run as its users run it."""

from pathlib import Path

from arcuate.roles import Role, roles_of
from arcuate.waiting import wait_until
from core.settings import Settings
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.node import running_node


def test_what_is_put_into_the_folder_of_a_running_node_is_listed(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "share"
    (folder / "device").mkdir(parents=True)
    watched = settings.model_copy(update={"watch_folder": str(folder), "watch_settle_seconds": 0.2})
    assert Role.WATCH in roles_of(watched)
    assert Role.WATCH not in roles_of(settings)
    with running_node(watched, (Role.RECEIVE, Role.SERVE, Role.WATCH)) as node:
        (folder / "device" / "scan.dcm").write_bytes(as_file(encode_instance()))

        assert wait_until(lambda: bool(list((folder / "taken").glob("*/*.dcm"))), 60)

        [instance] = node.get("/v1/studies/1.2.3.1/instances")["items"]
        assert instance["sop_instance_uid"] == "1.2.3.1.1.1"
