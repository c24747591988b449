import uuid

from core.job_ids import is_given_by, new_job_id


def test_an_id_tells_its_giver_and_nobody_else() -> None:
    made = [new_job_id("key:ada") for _ in range(100)]

    assert len(set(made)) == 100
    assert {uuid.UUID(job_id).version for job_id in made} == {4}
    assert all(is_given_by(job_id, "key:ada") for job_id in made)
    assert not any(is_given_by(job_id, "key:grace") for job_id in made)


def test_jobs_of_nobody_in_particular_are_nobodys() -> None:
    for job_id in (new_job_id(""), str(uuid.uuid4()), "no id"):
        assert not is_given_by(job_id, "key:ada")
        assert not is_given_by(job_id, "")
