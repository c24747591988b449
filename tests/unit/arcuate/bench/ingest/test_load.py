from hashlib import sha256
from pathlib import Path

from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.send_plan import SendPlan
from arcuate.bench.ingest.workloads import WORKLOADS


def test_instances_are_dealt_out_and_nobody_goes_empty(tmp_path: Path) -> None:
    load = Load.prepare(WORKLOADS[0], 5, tmp_path)

    assert [len(share) for share in load.shares(2)] == [3, 2]
    assert [len(share) for share in load.shares(8)] == [1, 1, 1, 1, 1]
    dealt = {identity for share in load.shares(3) for identity in share}
    assert dealt == set(load.identities)
    assert load.warm_up not in dealt


def test_digests_are_those_of_what_the_senders_are_told_to_send(tmp_path: Path) -> None:
    load = Load.prepare(WORKLOADS[0], 2, tmp_path)
    plan = SendPlan({"port": 1}, load.stored, tuple(load.shares(2)))

    told = SendPlan.from_json(plan.to_json())

    assert told == plan
    encoded = told.stored.load()
    for share in told.shares:
        (identity,) = share
        digest = sha256(encoded.copy(identity)).hexdigest()
        assert load.digests[identity.sop_instance_uid] == digest
