import json

import pytest

from tests.conftest import check_for_patient_data
from tests.fixtures.patient_data import leaks, patient_data


def test_patients_of_builders_and_samples_are_known() -> None:
    known = patient_data()

    assert {"Müller^Anna", "P1", "19580301", "1958-03-01", "TEST-0001", "Test^Eye"} <= known
    assert {"Test, Eye", "Sample^Eye", "P-0001"} <= known
    assert len(known) > 40


@pytest.mark.parametrize(
    "text",
    [
        '{"event": "store_refused", "error": "patient TEST-0001 has no name"}',
        "no such patient: Müller^Anna",
        json.dumps({"event": "Müller^Anna"}),
        "born 1958-03-01",
        "/v1/patients/P1/predictions",
        "[P1]",
    ],
)
def test_leak_is_found(text: str) -> None:
    assert leaks(text) != set()


@pytest.mark.parametrize(
    "text",
    [
        '{"event": "dicom_listening", "host": "127.0.0.1", "port": 11112}',
        "Patient ID 1.2.3.1.1 P10 SHP1 P1.dcm x-P1-y",
        "2026-03-04 08:00:00 [info] association from DEVICE1",
    ],
)
def test_what_names_nobody_is_no_leak(text: str) -> None:
    assert leaks(text) == set()


def test_test_whose_log_names_a_patient_fails() -> None:
    def report(line: str) -> pytest.TestReport:
        sections = [("Captured stderr call", f"starting\n{line}\nended\n")]
        return pytest.TestReport("x", ("x", 1, "x"), {}, "passed", None, "call", sections)

    harmless, leaking = report(json.dumps({"event": "store_kept"})), report("bad: Müller^Anna")
    for one in (harmless, leaking):
        check_for_patient_data(one)

    assert harmless.outcome == "passed"
    assert leaking.outcome == "failed"
    assert "Captured stderr call" in str(leaking.longrepr)
