"""RetiNerveNet: a recursive network that follows the nerve fibre bundles back from the disc.

Two sub-networks read one half of the disc each: the inferior half gives the superior field, the
superior half the inferior field. In each, one progression layer is passed seven times; every pass
stands for a step along the retina away from the disc and gives the points of one distance.

After Datta et al. 2021 (Sci Rep 11:12562), from the published description; sizes, sharing and the
branch that reads the whole disc are this project's. Built from Keras' own layers and operations
only, so that the same file runs on each of its backends and needs no class of ours to be read back.
"""

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE, PASS_GROUPS
from core.perimetry.pattern import Y_DEGREE
from core.values.prediction import FIELD_POINTS
from core.values.profile import PROFILE_SAMPLES

PROFILE_INPUT: Final = "profile"
AGE_INPUT: Final = "age"
OUTPUT_LAYER: Final = "dense_1"

#: How many points of a half-field each pass of the progression layer gives.
POINTS_PER_PASS: Final = (5, 4, 4, 4, 4, 4, 1)

_HALF_SAMPLES: Final = PROFILE_SAMPLES // 2
#: 22.5° beyond each end of a half, for eyes rotated against the frame.
_MARGIN: Final = 48

#: Pooling from samples to places (1.9°), from places to bundles, and on the way to the points.
_PLACE_POOL, _BUNDLE_POOL, _THIRD_POOL, _FOURTH_POOL = 4, 3, 2, 4
_BUNDLES: Final = (_HALF_SAMPLES + 2 * _MARGIN) // (_PLACE_POOL * _BUNDLE_POOL)
_CHANNELS: Final = 24
_KERNEL: Final = 5
_CONTEXT_POOL: Final = 8
_CONTEXT_UNITS: Final = (96, 48)

#: Centre and scale the inputs lie around, in µm and years.
_THICKNESS_UM: Final = (90.0, 40.0)
_AGE_YEARS: Final = (62.0, 13.0)

#: A first guess in dB from which training starts, and how far one unit of a feature moves it.
_START_DB: Final = 24.0
_FEATURE_SCALE_DB: Final = 3.0


@dataclass(frozen=True)
class Half:
    """One half of the disc and the half-field it serves.

    Attributes
    ----------
    name
        Prefix of the layers.
    is_inferior
        Whether it is the inferior disc, samples 384 to 767, which serves the superior field.
    """

    name: str
    is_inferior: bool

    @property
    def points(self) -> NDArray[np.intp]:
        """Index of the 26 points in the order the passes give them: by pass, temporal end first."""
        half = np.flatnonzero((Y_DEGREE > 0) == self.is_inferior)
        from_temporal = np.minimum(ENTRY_ANGLES_DEGREE, 360 - ENTRY_ANGLES_DEGREE)
        return half[np.lexsort((from_temporal[half], PASS_GROUPS[half]))]

    def cut(self, profile: Any) -> Any:
        """Return this half of a profile on the circle with its margins, temporal end first."""
        start, stop = _HALF_SAMPLES - _MARGIN, _HALF_SAMPLES + _MARGIN
        if self.is_inferior:
            stretch = keras.ops.concatenate([profile[:, start:], profile[:, :_MARGIN]], axis=1)
            return keras.ops.flip(stretch, axis=1)
        return keras.ops.concatenate([profile[:, -_MARGIN:], profile[:, :stop]], axis=1)


#: In the order their points are joined.
HALVES: Final = (Half("inferior_disc", True), Half("superior_disc", False))


def build_retinervenet() -> keras.Model:
    """Return the untrained network: `profile` (768, 1) in µm and `age` (1,) in years to 52 dB."""
    profile = keras.Input((PROFILE_SAMPLES, 1), name=PROFILE_INPUT)
    age = keras.Input((1,), name=AGE_INPUT)
    thickness = _standardised(*_THICKNESS_UM, "thickness")(profile)
    context = _context(thickness, _standardised(*_AGE_YEARS, "years")(age))
    passes = [_half_field(thickness, context, half) for half in HALVES]
    field = _right_eye_order(keras.layers.Concatenate(name="half_fields")(passes))
    features = keras.layers.Concatenate(name="field_and_context")([field, context])
    features = keras.layers.Rescaling(_FEATURE_SCALE_DB, name="features")(features)
    # Softplus keeps the field at 0 dB or above without a dead end for the gradient.
    sensitivities = keras.layers.Dense(
        FIELD_POINTS,
        activation="softplus",
        bias_initializer=keras.initializers.Constant(_START_DB),
        name=OUTPUT_LAYER,
    )(features)
    return keras.Model([profile, age], sensitivities, name="retinervenet")


def _standardised(centre: float, scale: float, name: str) -> Any:
    return keras.layers.Rescaling(1 / scale, offset=-centre / scale, name=name)


def _right_eye_order(points: Any) -> Any:
    order = np.argsort(np.concatenate([half.points for half in HALVES]))
    return keras.ops.take(points, order.tolist(), axis=1)


def _context(thickness: Any, years: Any) -> Any:
    """Return what the whole disc and the age say of the general level, shape (batch, 48)."""
    coarse = keras.layers.AveragePooling1D(_CONTEXT_POOL, name="whole_disc")(thickness)
    context = keras.layers.Flatten(name="whole_disc_flat")(coarse)
    context = keras.layers.Concatenate(name="whole_disc_and_age")([context, years])
    for number, units in enumerate(_CONTEXT_UNITS, start=1):
        context = keras.layers.Dense(units, activation="relu", name=f"context_{number}")(context)
    return context


def _half_field(thickness: Any, context: Any, half: Half) -> Any:
    """Return the 26 points one half of the disc serves, shape (batch, 26), pass by pass."""
    bundles = _block_one(half.cut(thickness), context, half.name)
    progression = _convolution(f"{half.name}_progression")
    last_blocks = _last_blocks(half.name)
    state, points = bundles, []
    for number, size in enumerate(POINTS_PER_PASS, start=1):
        # Each pass sees the bundles at the disc again beside where the last pass got to.
        state = keras.layers.Add(name=f"{half.name}_pass_{number}")([progression(state), bundles])
        points.append(last_blocks(state)[:, :size])
    return keras.layers.Concatenate(name=f"{half.name}_points")(points)


def _block_one(stretch: Any, context: Any, name: str) -> Any:
    """Return the bundles entering the disc, shape (batch, 40, 24): convolution, pool and skip."""
    places = keras.layers.AveragePooling1D(_PLACE_POOL, name=f"{name}_places")(stretch)
    body = _convolution(f"{name}_block_1")(places)
    body = keras.layers.MaxPooling1D(_BUNDLE_POOL, name=f"{name}_block_1_pool")(body)
    skip = _skip(_BUNDLE_POOL, f"{name}_block_1_skip")(places)
    level = keras.layers.Dense(_CHANNELS, name=f"{name}_level")(context)
    level = keras.layers.RepeatVector(_BUNDLES, name=f"{name}_level_everywhere")(level)
    return keras.layers.Add(name=f"{name}_bundles")([body, skip, level])


def _last_blocks(name: str) -> Any:
    """Return blocks 3 and 4, shared by the passes: from a state to 5 values, temporal end first."""
    state = keras.Input((_BUNDLES, _CHANNELS))
    body = _convolution(f"{name}_block_3")(state)
    body = keras.layers.MaxPooling1D(_THIRD_POOL, name=f"{name}_block_3_pool")(body)
    skip = _skip(_THIRD_POOL, f"{name}_block_3_skip")(state)
    body = keras.layers.Add(name=f"{name}_block_3_sum")([body, skip])
    scalar = keras.layers.Conv1D(1, _KERNEL, padding="same", name=f"{name}_block_4")(body)
    scalar = keras.layers.MaxPooling1D(_FOURTH_POOL, name=f"{name}_block_4_pool")(scalar)
    flat = keras.layers.Flatten(name=f"{name}_block_4_flat")(scalar)
    return keras.Model(state, flat, name=f"{name}_last_blocks")


def _convolution(name: str) -> Any:
    return keras.layers.Conv1D(_CHANNELS, _KERNEL, padding="same", activation="relu", name=name)


def _skip(stride: int, name: str) -> Any:
    return keras.layers.Conv1D(_CHANNELS, stride, strides=stride, name=name)
