from dataclasses import replace

import numpy as np
import pytest

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.profile import Profile, Quality
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device
from inference.examination import Examination
from inference.gating import gated
from inference.profile_gate import ProfileGate
from inference.profile_gate_fit import fit_gate
from inference.simulation.eyes import simulate_eyes
from inference.simulation.wedges import WedgePatterns

AGE_MISSING = Reason(ReasonCode.AGE_MISSING, "no age")


@pytest.fixture(scope="module")
def gate() -> ProfileGate:
    eyes = simulate_eyes(np.random.default_rng(1), 1000, WedgePatterns())
    return fit_gate(np.random.default_rng(2), eyes.thickness_um, eyes.age_years)


def examination(thickness_um: np.ndarray) -> Examination:
    profile = Profile(thickness_um.astype(np.float32), Quality(assessable=True, score=1.0))
    return Examination(Device(), Laterality.RIGHT, None, 60.0, profile=profile)


def test_only_what_is_unlike_an_eye_gets_a_reason(gate: ProfileGate) -> None:
    good, flat = examination(normal_profile_um(60.0)), examination(np.full(768, 90.0))
    other = replace(flat, age_years=None, reasons=(AGE_MISSING,))

    found = gated(gate, [flat, good, other, flat])

    codes = [[reason.code for reason in one.reasons] for one in found]
    outside = ReasonCode.OUTSIDE_INTENDED_USE
    assert codes == [[outside], [], [ReasonCode.AGE_MISSING], [outside]]
    assert [one.input is None for one in found] == [True, False, True, True]


def test_without_a_gate_or_a_profile_nothing_changes(gate: ProfileGate) -> None:
    flat = examination(np.full(768, 90.0))
    unread = replace(flat, profile=None, reasons=(AGE_MISSING,))

    assert gated(None, [flat]) == [flat]
    assert gated(gate, [unread]) == [unread]
    assert gated(gate, []) == []
