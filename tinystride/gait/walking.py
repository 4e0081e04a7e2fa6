"""Decide whether a stride is one of walking: correlate it with the mean stride of healthy people."""

import numpy as np

POINTS = 16
MAX_TEMPLATE_SHIFT = 4
# Template: pitch rate from mid-stance to mid-stance, means of sixteenths. Mean of the 2,851 unflagged strides
# of ipol-healthy, each at the shift with the maximum correlation.
# fmt: off
PITCH_RADPS = np.array([0.1, 0.2, 0.6, 2.3, 6.3, 6.4, -1.9, -5.2, -5.8, -5.1, -3.3, 1.7, 2.8, 0.6, 0.1, 0.1])
# fmt: on
# Of those strides 99.9 % have a higher correlation, and so do all strides of llio-ruler, up to 4 m/s.
MIN_TEMPLATE_CORRELATION = 0.6
# Squared correlation of the rotation about all axes that a residual score of 1 requires: the worse the
# integral ends, the better the stride must fit. The foot of a driver sometimes pitches like a walking foot,
# but in a moving car it also turns about other axes.
CORRELATION_PER_RESIDUAL = 0.5


def template_correlation(gyr_radps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlation of n strides with the template, [n], -1 to 1, and the shifts [n], in sixteenths.

    The correlation is the cosine of the angle between pitch rate and template. Mid-stance may be any instant
    of a stationary time, about a third of the stride; so a stride is compared at the shift in time with the
    maximum correlation, -MAX_TEMPLATE_SHIFT to MAX_TEMPLATE_SHIFT, positive if the stride is late.

    Args:
        gyr_radps: [n, points, 3], in the canonical foot frame, points a multiple of POINTS
    """
    shifts = np.arange(-MAX_TEMPLATE_SHIFT, MAX_TEMPLATE_SHIFT + 1)
    walking = shifted(np.tile(PITCH_RADPS, (len(shifts), 1)), shifts)
    cosine = unit(means(gyr_radps[..., 1], POINTS)) @ unit(walking).T
    return cosine.max(axis=1), shifts[cosine.argmax(axis=1)]


def is_walking(
    gyr_radps: np.ndarray, correlation: np.ndarray, residual_score: np.ndarray | float
) -> np.ndarray:
    """Return whether each of n strides is one of walking, [n] bool.

    A stride needs MIN_TEMPLATE_CORRELATION, and its squared correlation over all three axes must be at least
    CORRELATION_PER_RESIDUAL times the residual score. The squared correlation over all axes is the squared
    template correlation times the share of the pitch rate (means of sixteenths) in the squared angular rate.

    Args:
        gyr_radps: [n, points, 3], as for `template_correlation`
        correlation: [n], as `template_correlation` returns it
        residual_score: [n], of drift and tilt of the integral, 0 or more; from 1 on, the integral is unsteady
    """
    pitch = (means(gyr_radps[..., 1], POINTS) ** 2).mean(axis=1)
    share = pitch / np.maximum((gyr_radps**2).sum(axis=2).mean(axis=1), 1e-12)
    return (correlation >= MIN_TEMPLATE_CORRELATION) & (
        correlation**2 * share >= CORRELATION_PER_RESIDUAL * residual_score
    )


def means(values: np.ndarray, parts: int) -> np.ndarray:
    """Return the means of equal parts of each row, [n, parts].

    Args:
        values: [n, points], points a multiple of parts
        parts: number of parts
    """
    return values.reshape(len(values), parts, -1).mean(axis=2)


def shifted(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return rows moved to later by a number of points, [n, points], with zeros in the free places.

    Args:
        values: [n, points]
        shift: [n] int; negative: to earlier
    """
    place = np.arange(values.shape[1]) - shift[:, None]
    inside = (place >= 0) & (place < values.shape[1])
    return np.where(inside, np.take_along_axis(values, place.clip(0, values.shape[1] - 1), axis=1), 0.0)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length one, same shape; zero vectors stay zero.

    Args:
        vectors: [..., n]
    """
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
