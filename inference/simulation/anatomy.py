"""How the anatomy of an eye changes the profile a 12° circle measures: turned, nearer or farther.

The plain profiles already spread as healthy people's do, whatever the causes. Anatomy comes on top:
it makes harder eyes to train and to test on, not a truer population. Which field point belongs to
which part of the disc does not follow it, except that both turn with the eye.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.profile import PROFILE_ANGLES_DEGREE, PROFILE_SAMPLES

#: The eye the normal profile belongs to, which anatomy leaves as it is. Source: Beijing Eye Study
#: 2011, as the profile's norm: axial length (Guo 2012), disc-fovea angle (Jonas 2015), disc radius
#: from the mean disc-fovea distance of 4.76 mm and its ratio of 2.65 to the diameter (Jonas 2015).
NORMAL_AXIAL_LENGTH_MM: Final = 23.25
NORMAL_DISC_FOVEA_ANGLE_DEGREE: Final = 7.76
NORMAL_DISC_RADIUS_MM: Final = 0.90

#: Range found in that study; no simulated eye is outside.
_AXIAL_LENGTH_LIMITS_MM: Final = (18.96, 30.88)
_DISC_RADIUS_LIMITS_MM: Final = (0.6, 1.3)

#: A circle of 12°; millimetre of retina per degree from the axial length (Bennett 1994).
_CIRCLE_RADIUS_DEGREE: Final = 6.0
_MM_PER_DEGREE_PER_MM: Final = 0.01306
_NODAL_POINT_MM: Final = 1.82

#: Radii in mm for which the law of thickness is assumed: circles of 2.6 to 4.8 mm.
_LAW_LIMITS_MM: Final = (1.3, 2.4)

#: Main temporal artery and vein of each arcade. Peaks stand at 73° (SD 10°) and 288° (SD 12°)
#: (Zhang 2021) and the vessels on or near them (Hood 2008); +1 where temporal is a smaller angle.
_VESSELS: Final = ((73.0, 10.0, 1.0),) * 2 + ((288.0, 12.0, -1.0),) * 2
#: What a main vessel measures where no fibres are left (Hood 2008).
_VESSEL_HEIGHT_LIMITS_UM: Final = (100.0, 150.0)
#: Assumption: at half its height a vessel is some 100 µm wide, 3.5° of the circle; here as an SD.
#: With all fibres lost the superotemporal and inferotemporal sectors then keep 52 and 52 µm, not 42
#: and 44; the floors fitted to paired clinic data, which hold the vessels, are 61 and 50 µm.
_VESSEL_WIDTH_DEGREE: Final = 1.5


@dataclass(frozen=True)
class EyeAnatomies:
    """The anatomy of each of n eyes, in the frame both eyes share.

    Attributes
    ----------
    axial_length_mm, disc_radius_mm
        float64, shape (n,).
    disc_fovea_angle_degree
        float64, shape (n,): how far the fovea lies below the horizontal through the disc.
    temporal_shift_degree
        float64, shape (n,): how much nearer to temporal both humps stand than in the normal eye.
    vessel_angles_degree, vessel_heights_um
        float64, shape (n, 4): main temporal vessels, TSNIT angle before the eye is turned.
    thinning_power
        As in `Anatomy`.
    """

    axial_length_mm: NDArray[np.float64]
    disc_radius_mm: NDArray[np.float64]
    disc_fovea_angle_degree: NDArray[np.float64]
    temporal_shift_degree: NDArray[np.float64]
    vessel_angles_degree: NDArray[np.float64]
    vessel_heights_um: NDArray[np.float64]
    thinning_power: float

    def __len__(self) -> int:
        return len(self.axial_length_mm)

    @property
    def thickness_factor(self) -> NDArray[np.float64]:
        """Thickness at the circle in parts of the normal eye's, shape (n,)."""
        # Distance from the margin decides, put on a disc of normal size.
        radius_mm = (
            NORMAL_DISC_RADIUS_MM + circle_radius_mm(self.axial_length_mm) - self.disc_radius_mm
        )
        normal_mm = circle_radius_mm(np.array(NORMAL_AXIAL_LENGTH_MM))
        return np.asarray((normal_mm / np.clip(radius_mm, *_LAW_LIMITS_MM)) ** self.thinning_power)


@dataclass(frozen=True)
class Anatomy:
    """How anatomy varies between eyes: means and SDs of normal distributions.

    Attributes
    ----------
    axial_length_mean_mm, axial_length_sd_mm
        Source: Guo 2012, 3159 people of 50 years and more. Normal is an assumption: long eyes are
        more frequent.
    disc_fovea_angle_mean_degree, disc_fovea_angle_sd_degree
        Source: Jonas 2015, 6043 eyes.
    disc_radius_mean_mm, disc_radius_sd_mm
        The mean as above; the SD, 9 % of it, is an assumption.
    hump_shift_degree_per_mm
        How far both humps and their vessels move towards temporal for each mm of axial length.
        Source: Zhang 2021, standardised coefficients 0.27 to 0.31 with SDs of 10° to 12°.
    thinning_power
        Thickness falls with this power of the circle's radius. The same fibres crossing every
        circle would give 1; 0.5 gives the 2.4 µm of 103.2 µm per mm of axial length that were found
        between people (Wang 2013). That disc size acts by the same law is an assumption.
    vessel_share
        How much of a main vessel's height stays in the profile, 0 to 1; 0 shows none.
    """

    axial_length_mean_mm: float = NORMAL_AXIAL_LENGTH_MM
    axial_length_sd_mm: float = 1.14
    disc_fovea_angle_mean_degree: float = NORMAL_DISC_FOVEA_ANGLE_DEGREE
    disc_fovea_angle_sd_degree: float = 3.63
    disc_radius_mean_mm: float = NORMAL_DISC_RADIUS_MM
    disc_radius_sd_mm: float = 0.08
    hump_shift_degree_per_mm: float = 2.8
    thinning_power: float = 0.5
    vessel_share: float = 1.0

    def draw(self, rng: np.random.Generator, count: int) -> EyeAnatomies:
        """Return the anatomy of that many eyes; the same generator state gives the same ones."""
        length_mm = rng.normal(self.axial_length_mean_mm, self.axial_length_sd_mm, count)
        length_mm = np.clip(length_mm, *_AXIAL_LENGTH_LIMITS_MM)
        radius_mm = rng.normal(self.disc_radius_mean_mm, self.disc_radius_sd_mm, count)
        angle_mean_sd = self.disc_fovea_angle_mean_degree, self.disc_fovea_angle_sd_degree
        shift_degree = self.hump_shift_degree_per_mm * (length_mm - NORMAL_AXIAL_LENGTH_MM)
        centre, spread, to_temporal = np.transpose(_VESSELS)
        vessels_degree = rng.normal(centre, spread, (count, len(_VESSELS)))
        heights_um = rng.uniform(*_VESSEL_HEIGHT_LIMITS_UM, vessels_degree.shape)
        return EyeAnatomies(
            axial_length_mm=length_mm,
            disc_radius_mm=np.clip(radius_mm, *_DISC_RADIUS_LIMITS_MM),
            disc_fovea_angle_degree=rng.normal(*angle_mean_sd, count),
            temporal_shift_degree=shift_degree,
            vessel_angles_degree=vessels_degree - to_temporal * shift_degree[:, np.newaxis],
            vessel_heights_um=self.vessel_share * heights_um,
            thinning_power=self.thinning_power,
        )


def circle_radius_mm(axial_length_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how wide a circle of 12° is on the retina: its radius in mm, the same shape."""
    mm_per_degree = _MM_PER_DEGREE_PER_MM * (axial_length_mm - _NODAL_POINT_MM)
    return np.asarray(_CIRCLE_RADIUS_DEGREE * mm_per_degree, dtype=np.float64)


def seen_on_the_circle(
    thickness_um: NDArray[np.floating], anatomies: EyeAnatomies
) -> NDArray[np.float32]:
    """Return the thickness at each eye's own circle in µm, shape (n, 768), TSNIT.

    Parameters
    ----------
    thickness_um
        Shape (n, 768): what a normal circle would measure if the eye stood as the normal one does.
    """
    factor = anatomies.thickness_factor[:, np.newaxis].astype(np.float32)
    return _turned(_with_vessels(thickness_um * factor, anatomies), anatomies)


def _with_vessels(
    thickness_um: NDArray[np.floating], anatomies: EyeAnatomies
) -> NDArray[np.float32]:
    """Return thickness that is nowhere below what the vessels alone would measure."""
    lowest_um = np.asarray(thickness_um, dtype=np.float32)
    angles = PROFILE_ANGLES_DEGREE.astype(np.float32)
    crossings = zip(anatomies.vessel_angles_degree.T, anatomies.vessel_heights_um.T, strict=True)
    for centres, heights_um in crossings:
        distance = (angles - centres[:, np.newaxis].astype(np.float32) + 180) % 360 - 180
        shape = np.exp(-0.5 * (distance / _VESSEL_WIDTH_DEGREE) ** 2)
        lowest_um = np.maximum(lowest_um, heights_um[:, np.newaxis].astype(np.float32) * shape)
    return lowest_um


def _turned(thickness_um: NDArray[np.float32], anatomies: EyeAnatomies) -> NDArray[np.float32]:
    """Return profiles turned about the disc: a lower fovea draws all towards inferior."""
    lower = anatomies.disc_fovea_angle_degree - NORMAL_DISC_FOVEA_ANGLE_DEGREE
    samples = (lower * PROFILE_SAMPLES / 360)[:, np.newaxis] + np.arange(PROFILE_SAMPLES)
    whole = np.floor(samples).astype(np.intp)
    part = (samples - whole).astype(np.float32)
    before = np.take_along_axis(thickness_um, whole % PROFILE_SAMPLES, axis=1)
    after = np.take_along_axis(thickness_um, (whole + 1) % PROFILE_SAMPLES, axis=1)
    return np.asarray(before + part * (after - before), dtype=np.float32)
