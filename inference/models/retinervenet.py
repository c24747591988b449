"""RetiNerveNet: a recursive network that follows the nerve fibre bundles back from the disc.

Two sub-networks read one half of the disc each: the inferior half gives the superior field, the
superior half the inferior field. In each, one progression layer is passed seven times; every pass
stands for a step along the retina away from the disc and gives the points of one distance.

After Datta et al. 2021 (Sci Rep 11:12562), from the published description; sizes, sharing and the
branch that reads the whole disc are this project's. So is the progression layer being a dense one:
how fast the bundles converge depends on where they enter the disc, which a convolution, the same
everywhere, cannot say. Built from Keras' own layers and operations only.
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
from inference.models.ensemble import Member, ensemble_of

#: How many points of a half-field each pass of the progression layer gives.
POINTS_PER_PASS: Final = (5, 4, 4, 4, 4, 4, 1)
_HALF_SAMPLES: Final = PROFILE_SAMPLES // 2
#: 22.5° beyond each end of a half, for eyes rotated against the frame.
_MARGIN: Final = 48

#: Pooling from samples to places (2.8°), from places to bundles (11°), and on to the points.
_PLACE_POOL, _BUNDLE_POOL, _THIRD_POOL, _FOURTH_POOL = 6, 4, 2, 2
_CHANNELS: Final = 8
_KERNEL: Final = 5
#: Channels of the convolutions over the whole disc, each followed by halving the places.
_WHOLE_DISC_CHANNELS: Final = (16, 32, 32)
_WHOLE_DISC_KERNEL: Final = 7
_WHOLE_DISC_UNITS: Final = (512, 256)

#: A first guess in dB from which training starts, and how far one unit of a feature moves it.
_START_DB: Final = 24.0
_FEATURE_SCALE_DB: Final = 3.0


@dataclass(frozen=True)
class Design:
    """What of the network is there; leaving a part out shows what it brings.

    Attributes
    ----------
    passes
        How often the progression layer is passed; later points then come from the last pass.
    two_halves
        Whether each half-field is read from its own half of the disc, not from the whole.
    age
        Whether the age is read.
    whole_disc
        Whether a branch reads the whole disc for the general level.
    """

    passes: int = len(POINTS_PER_PASS)
    two_halves: bool = True
    age: bool = True
    whole_disc: bool = True


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


def field_of(thickness: Any, years: Any, name: str, design: Design = Design()) -> Any:
    """Return the field in dB, shape (batch, 52), right-eye order.

    Parameters
    ----------
    thickness, years
        Standardised inputs, shapes (batch, 768, 1) and (batch, 1).
    name
        Prefix of the layers; the last one has this name.
    """
    context = _whole_disc(thickness, years, name, design)
    halves = [_half_field(thickness, context, half, name, design) for half in HALVES]
    field = _right_eye_order(keras.layers.Concatenate(name=f"{name}_halves")(halves))
    known = [field, context, years if design.age else None]
    features = [found for found in known if found is not None]
    joined = keras.layers.Concatenate(name=f"{name}_joined")(features) if features[1:] else field
    joined = keras.layers.Rescaling(_FEATURE_SCALE_DB, name=f"{name}_features")(joined)
    # Softplus keeps the field at 0 dB or above without a dead end for the gradient.
    return keras.layers.Dense(
        FIELD_POINTS,
        activation="softplus",
        bias_initializer=keras.initializers.Constant(_START_DB),
        name=name,
    )(joined)


def _right_eye_order(points: Any) -> Any:
    order = np.argsort(np.concatenate([half.points for half in HALVES]))
    return keras.ops.take(points, order.tolist(), axis=1)


def _whole_disc(thickness: Any, years: Any, name: str, design: Design) -> Any | None:
    """Return what the whole disc and the age say of the general level, shape (batch, 256)."""
    if not design.whole_disc:
        return None
    found = keras.layers.AveragePooling1D(_PLACE_POOL, name=f"{name}_whole_disc")(thickness)
    for number, channels in enumerate(_WHOLE_DISC_CHANNELS, start=1):
        found = _around_the_disc(found, channels, f"{name}_whole_disc_{number}")
    context = keras.layers.Flatten(name=f"{name}_whole_disc_flat")(found)
    if design.age:
        context = keras.layers.Concatenate(name=f"{name}_disc_and_age")([context, years])
    for number, units in enumerate(_WHOLE_DISC_UNITS, start=1):
        layer = keras.layers.Dense(units, activation="gelu", name=f"{name}_context_{number}")
        context = layer(context)
    return context


def _around_the_disc(places: Any, channels: int, label: str) -> Any:
    """Return half as many places, each from its neighbours on the closed circle."""
    beyond = _WHOLE_DISC_KERNEL // 2
    closed = keras.ops.concatenate([places[:, -beyond:], places, places[:, :beyond]], axis=1)
    convolution = keras.layers.Conv1D(channels, _WHOLE_DISC_KERNEL, activation="gelu", name=label)
    return keras.layers.MaxPooling1D(2, name=f"{label}_pool")(convolution(closed))


def _half_field(thickness: Any, context: Any | None, half: Half, name: str, design: Design) -> Any:
    """Return the 26 points one half of the disc serves, shape (batch, 26), pass by pass."""
    label = f"{name}_{half.name}"
    stretch = half.cut(thickness) if design.two_halves else thickness
    bundles = _block_one(stretch, context, label)
    size = bundles.shape[1]
    progression = keras.layers.Dense(size, activation="gelu", name=f"{label}_progression")
    state, states = bundles, []
    for number in range(len(POINTS_PER_PASS)):
        if number < design.passes:
            # Each pass sees the bundles at the disc again beside where the last pass got to.
            added = keras.layers.Add(name=f"{label}_pass_{number + 1}")
            state = added([progression(state), bundles])
        states.append(state)
    # The passes are read by the same last blocks: side by side, as examples of one batch.
    passed = keras.ops.reshape(keras.ops.stack(states, axis=1), (-1, size // _CHANNELS, _CHANNELS))
    vectors = _last_blocks(passed, label)
    vectors = keras.ops.reshape(vectors, (-1, len(states) * vectors.shape[1]))
    return keras.ops.take(vectors, _used(vectors.shape[1] // len(states)), axis=1)


def _used(length: int) -> list[int]:
    """Return which entries of all vectors, each of that length, are points of the field."""
    return [
        length * number + entry
        for number, points in enumerate(POINTS_PER_PASS)
        for entry in range(points)
    ]


def _block_one(stretch: Any, context: Any | None, label: str) -> Any:
    """Return the bundles entering the disc, shape (batch, bundles · 8): convolution, pool, skip."""
    places = keras.layers.AveragePooling1D(_PLACE_POOL, name=f"{label}_places")(stretch)
    body = _convolution(f"{label}_block_1")(places)
    body = keras.layers.MaxPooling1D(_BUNDLE_POOL, name=f"{label}_block_1_pool")(body)
    skip = _skip(_BUNDLE_POOL, f"{label}_block_1_skip")(places)
    bundles = keras.layers.Add(name=f"{label}_block_1_sum")([body, skip])
    bundles = keras.layers.Flatten(name=f"{label}_bundles")(bundles)
    if context is None:
        return bundles
    level = keras.layers.Dense(bundles.shape[1], name=f"{label}_level")(context)
    return keras.layers.Add(name=f"{label}_bundles_and_level")([bundles, level])


def _last_blocks(state: Any, label: str) -> Any:
    """Return blocks 3 and 4 of each state, shape (states, 5, 1): temporal end first."""
    body = _convolution(f"{label}_block_3")(state)
    body = keras.layers.MaxPooling1D(_THIRD_POOL, name=f"{label}_block_3_pool")(body)
    skip = _skip(_THIRD_POOL, f"{label}_block_3_skip")(state)
    body = keras.layers.Add(name=f"{label}_block_3_sum")([body, skip])
    scalar = keras.layers.Conv1D(1, _KERNEL, padding="same", name=f"{label}_block_4")(body)
    return keras.layers.MaxPooling1D(_FOURTH_POOL, name=f"{label}_block_4_pool")(scalar)


def _convolution(name: str) -> Any:
    return keras.layers.Conv1D(_CHANNELS, _KERNEL, padding="same", activation="gelu", name=name)


def _skip(stride: int, name: str) -> Any:
    return keras.layers.Conv1D(_CHANNELS, stride, strides=stride, name=name)


#: The members of the shipped model: alike in form, they start from other weights.
MEMBERS: Final[tuple[Member, ...]] = (field_of,) * 3


def build_retinervenet() -> keras.Model:
    """Return the untrained ensemble: `profile` (768, 1) in µm and `age` (1,) in years to 52 dB."""
    return ensemble_of(MEMBERS, "retinervenet")
