"""Whether a stride is one of walking: a comparison with the mean healthy one."""

import numpy as np

POINTS = 16
LARGEST_SHIFT = 4
# Pitch rate from mid-stance to mid-stance in means of a sixteenth: mean of the 2,851 unflagged strides of
# ipol-healthy, each at the shift at which it is most like the mean.
# fmt: off
PITCH_RADPS = np.array([0.1, 0.2, 0.6, 2.3, 6.3, 6.4, -1.9, -5.2, -5.8, -5.1, -3.3, 1.7, 2.8, 0.6, 0.1, 0.1])
# fmt: on
# Of those strides 99.9 % are above, as are all of llio-ruler, up to 4 m/s.
SMALLEST_LIKENESS = 0.6
# The odder the integral, the more has to speak for walking: a driver's foot pitches like a walking one now
# and then, but turns about other axes, too, in a car that moves. See `is_walking`.
LIKENESS_OF_STRANGE = 0.5


def likeness(gyr_radps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How alike to a walking foot each of n strides pitches, -1 to 1, and at which shift, in sixteenths.

    gyr_radps: [n, points, 3], in the canonical foot frame, points a multiple of POINTS
    Mid-stance is some instant of a calm third of the stride, so strides are compared at the shift in time at
    which they are most alike. The figure is the cosine of the angle between pitch rate and mean pitch rate.
    """
    shifts = np.arange(-LARGEST_SHIFT, LARGEST_SHIFT + 1)
    walking = shifted(np.tile(PITCH_RADPS, (len(shifts), 1)), shifts)
    cosine = unit(means(gyr_radps[..., 1], POINTS)) @ unit(walking).T
    return cosine.max(axis=1), shifts[cosine.argmax(axis=1)]


def is_walking(gyr_radps: np.ndarray, alike: np.ndarray, strangeness: np.ndarray | float) -> np.ndarray:
    """Which of n strides [n] are those of walking.

    gyr_radps: as for `likeness`, which has told alike [n]
    strangeness: [n], how far from ordinary the drift and tilt of the integral are; from 1 on it is unsteady
    Compared with strangeness is the likeness of all turning, about three axes, squared: what likeness and the
    share of pitch, in means of a sixteenth, make of it.
    """
    pitch = (means(gyr_radps[..., 1], POINTS) ** 2).mean(axis=1)
    share = pitch / np.maximum((gyr_radps**2).sum(axis=2).mean(axis=1), 1e-12)
    return (alike >= SMALLEST_LIKENESS) & (alike**2 * share >= LIKENESS_OF_STRANGE * strangeness)


def means(values: np.ndarray, parts: int) -> np.ndarray:
    """Means of equal parts of each row: [n, points] to [n, parts]."""
    return values.reshape(len(values), parts, -1).mean(axis=2)


def shifted(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Rows of [n, points] moved to later by shift [n] points, with zeros where they leave room."""
    place = np.arange(values.shape[1]) - shift[:, None]
    inside = (place >= 0) & (place < values.shape[1])
    return np.where(inside, np.take_along_axis(values, place.clip(0, values.shape[1] - 1), axis=1), 0.0)


def unit(vectors: np.ndarray) -> np.ndarray:
    """[..., n] of length one; zeros stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
