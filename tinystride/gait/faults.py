"""Find faults of a recording in its samples: overflow, repeated or empty samples, a delay of a sensor."""

from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from tinystride.datasets.recording import Recording
from tinystride.gait.strapdown import GRAVITY_MPS2, POINTS, Resampler, integrate, resample_between

MAD_TO_SD = 1.4826
# Full scales of common sensors for which overflow is searched, m/s² and rad/s. Larger full scales are rarely
# exceeded, so there a jump is more often an impact.
ACC_FULL_SCALES_MPS2 = GRAVITY_MPS2 * np.array([2.0, 4.0, 8.0])
GYR_FULL_SCALES_RADPS = np.deg2rad([125.0, 250.0, 500.0, 1000.0])
# Counts that overflow use the range up to its ends, and jump by more than half of it when they wrap around.
# A recording needs MIN_JUMPS jumps. Impacts alone cause so many in at most 1 of 42 recordings of a measured
# set, but in 5 of 55 recordings of ipol-healthy at 100 Hz.
REACHED_SHARE = 0.96
MIN_JUMPS = 3
# The sensor of a foot that turns this fast never repeats all three values of one of its parts (6 of 990,000
# samples of the measured sets and ipol-healthy). If a larger share of the samples repeats the sample before,
# that share of the stream was lost. A coarse accelerometer repeats its three values more often.
MOVING_RADPS = 0.8
MAX_REPEATED_SHARE, MAX_REPEATED_BY_ONE_SHARE = 0.2, 0.4
# Range of the delay between the sensors, and step of its numerical derivatives.
MAX_LAG_S, LAG_STEP_S = 0.05, 0.005
LAG_STRIDES = 24
MIN_LAG_STRIDES = 4
# Relative step of the derivatives by the gyroscope's scale and by the sampling rate.
SCALE_STEP = 0.02
# Vertical velocity, m/s, and height, m, at the end of the strides of a recording without a fault: mean and SD
# over the recordings of the measured sets and ipol-healthy. Minimum SD of single strides.
USUAL_END, USUAL_END_SD = np.array([-0.02, 0.015]), np.array([0.05, 0.02])
MIN_STRIDE_SD = np.array([0.03, 0.015])
MAX_STRIDE_DEVIATION = 2.5
# SD of three causes of wrong ends, without and with a fault: delay of the gyroscope, s; relative errors of
# its scale and of the sampling rate. Data sheets of common sensors give 1 % and 0.5 %.
CAUSE_SD = np.array([0.003, 0.01, 0.005])
FAULT_SD = np.array([0.03, 0.08, 0.08])
# Evidence is twice the logarithm of a ratio of likelihoods. From MIN_EVIDENCE on, the strides show a delay.
# It is corrected if its evidence exceeds that of the other causes by MIN_ADVANTAGE. Without a fault, the
# maximum is 1.0 in 175 recordings of walking of the measured sets and ipol-healthy, and in 40 simulated
# walks; a delay of 20 ms has a median of 10.
MIN_EVIDENCE, MIN_ADVANTAGE = 2.0, 1.0
# SD of the median of normally distributed values, relative to that of their mean.
MEDIAN_SD = 1.25
# The ends of a running foot have larger errors.
MAX_WALKING_MPS = 2.0
LAG_ROUNDS = 4
# A smaller delay, of two steps and more, shows in the spread of the vertical velocity. Disagreement combines
# spread and median; a correction must reduce disagreement and spread to less than these shares, and must not
# increase the spread of the height. A sensor that is shaken has a larger spread even without a delay.
MEDIAN_WEIGHT = 0.3
MIN_DISAGREEMENT_MPS = 0.03
MAX_LEFT_SHARE, MAX_SPREAD_SHARE, MAX_HEIGHT_SHARE = 0.6, 0.75, 1.2
MAX_SPREAD_MPS = 0.06
# A larger median has another cause.
MAX_MEDIAN_MPS = 0.25
# Signs of the gyroscope's axes. A flipped axis of the accelerometer acts like two flipped gyroscope axes.
FLIPPED = np.array(list(product((1.0, -1.0), repeat=3)))[1:]
# If other signs reduce the median velocity at the ends of the strides to less than this share, an axis is
# flipped. In 175 recordings of the measured sets and ipol-healthy, the share is at least 1.25; with one
# flipped axis of either sensor it is at most 0.40 (16 of these recordings and 12 simulated walks).
MAX_FLIPPED_SHARE = 0.7


class Delay(NamedTuple):
    """Delay between the sensors of a recording.

    Attributes:
        lag_s: delay of the gyroscope, s, -MAX_LAG_S to MAX_LAG_S, positive if late; 0 if none is certain
        is_unclear: true if a delay is likely, but a wrong scale or sampling rate is as likely
    """

    lag_s: float
    is_unclear: bool


def overflowed(recording: Recording) -> np.ndarray:
    """Return the samples [N] next to a jump that occurs when a count does not fit its integer type, bool.

    Args:
        recording: with the samples as recorded, not calibrated
    """
    marked = np.zeros(recording.n_samples, dtype=bool)
    for samples, scales in (
        (recording.acc_mps2, ACC_FULL_SCALES_MPS2),
        (recording.gyr_radps, GYR_FULL_SCALES_RADPS),
    ):
        maximum = np.abs(samples).max(initial=0.0)
        reached = scales[(maximum >= REACHED_SHARE * scales) & (maximum <= 1.002 * scales)]
        if len(reached):
            wraps = (samples[1:] * samples[:-1] < 0) & (np.abs(np.diff(samples, axis=0)) > reached[0])
            jumps = 1 + np.flatnonzero(wraps.any(axis=1))
            if len(jumps) >= MIN_JUMPS:
                marked[jumps] = True
    return marked


def repeated(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples [N] whose values repeat those before while the foot turns: of both sensors, of one.

    Args:
        recording: with the samples as recorded
    """
    turns = moving(recording)
    same = np.zeros((2, recording.n_samples), dtype=bool)
    for own, samples in zip(same, (recording.acc_mps2, recording.gyr_radps), strict=True):
        own[1:] = (samples[1:] == samples[:-1]).all(axis=1)
    return same.all(axis=0) & turns, same.any(axis=0) & turns


def with_gaps(recording: Recording) -> Recording:
    """Return the recording with its repeated and empty samples as gaps, interpolated like lost ones.

    A sample is empty if its specific force is exactly zero: a foot never falls so freely.

    Args:
        recording: with the samples as recorded
    """
    unread = repeated(recording)[0] | ~recording.acc_mps2.any(axis=1)
    if not unread.any() or unread.all():
        return recording
    number = np.arange(recording.n_samples)
    kept = number[~unread]
    filled = [
        np.column_stack([np.interp(number, kept, axis[kept]) for axis in samples.T])
        for samples in (recording.acc_mps2, recording.gyr_radps)
    ]
    edges = np.flatnonzero(np.diff(unread | recording.lost, prepend=False, append=False))
    return replace(recording, acc_mps2=filled[0], gyr_radps=filled[1], gaps=edges.reshape(-1, 2))


def moving(recording: Recording) -> np.ndarray:
    """Return the samples [N] in which the foot turns faster than MOVING_RADPS, bool.

    Args:
        recording: recording of one foot
    """
    return np.linalg.norm(recording.gyr_radps, axis=1) > MOVING_RADPS


def find_delay(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, mid_stances: np.ndarray) -> Delay:
    """Return the delay between the sensors.

    If one stream is early, the specific force is rotated wrongly during the swing, in proportion to the
    angular rate. So the vertical velocity and the height at the end of the strides are wrong, which should be
    zero on level floor. A wrong scale of the gyroscope and a wrong sampling rate have similar effects, but in
    other proportions. The three causes are compared by the likelihood of the ends (Gaussian, linearized).

    Args:
        acc_mps2: [N, 3], calibrated, in the foot frame
        gyr_radps: [N, 3], likewise
        rate_hz: sampling rate
        mid_stances: [n, 2], fractional sample numbers
    """
    chosen = np.linspace(0, len(mid_stances) - 1, min(len(mid_stances), LAG_STRIDES)).astype(int)
    ends = _Ends(acc_mps2, gyr_radps, rate_hz, mid_stances[chosen]) if len(chosen) else None
    if ends is None or ends.n < MIN_LAG_STRIDES:
        return Delay(0.0, False)
    lag_s = 0.0
    for _ in range(LAG_ROUNDS):
        of_strides, of_median = ends.observed(lag_s)
        evidence, advantage, change_s = _evidence(*of_strides)
        if evidence < MIN_EVIDENCE:
            is_unclear = _evidence(*of_median)[0] >= MIN_EVIDENCE
            return Delay(lag_s or ends.steadiest_lag_s(), is_unclear)
        lag_s += change_s
        if advantage < MIN_ADVANTAGE or abs(lag_s) > MAX_LAG_S:
            break
    return Delay(0.0, True)


def has_flipped_axis(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, mid_stances: np.ndarray, axes: np.ndarray
) -> bool:
    """Return whether an axis of one sensor has the wrong sign.

    The signs of the gyroscope's axes are right if they lead to the smallest velocity at the ends of the
    strides, which should be zero.

    Args:
        acc_mps2: [N, 3], calibrated, in the foot frame
        gyr_radps: [N, 3], likewise
        rate_hz: sampling rate
        mid_stances: [n, 2], fractional sample numbers
        axes: [3, 3], each axis of the sensor in the foot frame
    """
    if len(mid_stances) < MIN_LAG_STRIDES:
        return False
    chosen = mid_stances[np.linspace(0, len(mid_stances) - 1, min(len(mid_stances), LAG_STRIDES)).astype(int)]
    read = resample_between(np.column_stack([acc_mps2, gyr_radps]), rate_hz, chosen)
    acc, gyr, duration_s = read[..., :3], read[..., 3:], np.diff(chosen)[:, 0] / rate_hz

    def median_mps(signs: np.ndarray) -> float:
        end_mps = integrate(acc, gyr @ (axes.T * signs @ axes), duration_s).velocity_mps[:, -1]
        return float(np.median(np.linalg.norm(end_mps, axis=1)))

    return min(map(median_mps, FLIPPED)) < MAX_FLIPPED_SHARE * median_mps(np.ones(3))


def synchronized(recording: Recording, lag_s: float) -> Recording:
    """Return the recording with the delay of its gyroscope removed.

    Args:
        recording: recording of one foot
        lag_s: delay, s, positive if the gyroscope is late
    """
    return replace(recording, gyr_radps=_shifted(recording.gyr_radps, lag_s * recording.rate_hz))


class _Ends:
    """Vertical velocity and height at the ends of strides as functions of the delay that is removed.

    acc_mps2, gyr_radps: [N, 3], calibrated, in the foot frame; strides: [n, 2], fractional sample numbers;
    strides of running are left out
    """

    def __init__(
        self, acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray
    ) -> None:
        # Samples read before the first and after the last one: the delay, half an interval, and the delay of
        # the filter (0.03 s).
        margin = int((MAX_LAG_S + 2 * LAG_STEP_S) * rate_hz) + 2
        missing = margin + int(np.diff(strides).max() / POINTS + 0.1 * rate_hz) + 2
        samples = np.pad(np.column_stack([acc_mps2, gyr_radps]), ((margin, 0), (0, 0)), mode="edge")
        self._resampler, self._rate_hz = Resampler(samples, rate_hz, missing), rate_hz
        read = self._resampler.between(strides + margin)
        duration_s = np.diff(strides)[:, 0] / rate_hz
        length_cm = integrate(read[..., :3], read[..., 3:], duration_s).length_cm
        walks = length_cm < 100 * MAX_WALKING_MPS * duration_s
        self._strides, self._acc, self._duration_s = (
            strides[walks] + margin,
            read[walks, :, :3],
            duration_s[walks],
        )
        self.n = len(self._strides)

    def observed(self, lag_s: float) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
        """Return values [n, 2], their derivatives [n, 2, 3] by the causes and SD [2]: of strides and median.

        lag_s: removed delay
        """
        gyr = self._gyr(lag_s)
        more, less = 1 + SCALE_STEP, 1 - SCALE_STEP
        later, earlier = self._gyr(lag_s - LAG_STEP_S), self._gyr(lag_s + LAG_STEP_S)
        derivatives = np.stack(
            [
                (self._values(later) - self._values(earlier)) / (2 * LAG_STEP_S),
                (self._values(gyr * more) - self._values(gyr * less)) / (2 * SCALE_STEP),
                (self._values(gyr, more) - self._values(gyr, less)) / (2 * SCALE_STEP),
            ],
            axis=-1,
        )
        values = self._values(gyr)
        centre = np.median(values, axis=0)
        sd = np.maximum(MAD_TO_SD * np.median(np.abs(values - centre), axis=0), MIN_STRIDE_SD)
        limit = MAX_STRIDE_DEVIATION * sd
        return (
            (np.clip(values, centre - limit, centre + limit), derivatives, sd),
            (centre[None], np.median(derivatives, axis=0)[None], MEDIAN_SD * sd / np.sqrt(self.n)),
        )

    def steadiest_lag_s(self) -> float:
        """Return the delay, s, without which the vertical velocity scatters clearly less; 0 if none."""
        own = self._disagreement(0)
        direction = 1 if self._disagreement(2)[0] < self._disagreement(-2)[0] else -1
        best, minimum = 0, own
        for lag in range(2, round(MAX_LAG_S / LAG_STEP_S) + 1):
            now = self._disagreement(direction * lag)
            if now >= minimum:
                break
            best, minimum = direction * lag, now
        is_clear = (
            minimum[0] < MAX_LEFT_SHARE * own[0]
            and minimum[1] < min(MAX_SPREAD_SHARE * own[1], MAX_SPREAD_MPS)
            and minimum[2] < MAX_HEIGHT_SHARE * own[2]
            and MIN_DISAGREEMENT_MPS < own[0] < np.hypot(own[1], MEDIAN_WEIGHT * MAX_MEDIAN_MPS)
        )
        return best * LAG_STEP_S if is_clear else 0.0

    def _disagreement(self, steps: int) -> tuple[float, float, float]:
        """Return disagreement and spread of the vertical velocity, m/s, and spread of the height, m.

        steps: removed delay
        """
        values = self._values(self._gyr(steps * LAG_STEP_S))
        medians = np.median(values, axis=0)
        spread_mps, spread_m = MAD_TO_SD * np.median(np.abs(values - medians), axis=0)
        return float(np.hypot(spread_mps, MEDIAN_WEIGHT * medians[0])), float(spread_mps), float(spread_m)

    def _gyr(self, lag_s: float) -> np.ndarray:
        """Return the angular rate [n, points, 3], read `lag_s` later."""
        return self._resampler.between(self._strides + lag_s * self._rate_hz)[..., 3:]

    def _values(self, gyr: np.ndarray, slower: float = 1.0) -> np.ndarray:
        """Return the values [n, 2] for an angular rate [n, points, 3] and a factor of the duration."""
        integral = integrate(self._acc, gyr, self._duration_s * slower)
        return np.column_stack([integral.excess_mps[:, 2], integral.displacement_m[:, 2]])


def _evidence(values: np.ndarray, derivatives: np.ndarray, sd: np.ndarray) -> tuple[float, float, float]:
    """Return the evidence of a delay against no fault and against the best other cause, and the delay, s.

    values: [n, 2]; derivatives: [n, 2, 3], by the causes; sd: [2], of the error of each value
    """
    none, _ = _likelihood(values, derivatives, sd, CAUSE_SD)
    (delay, lag_s), *others = (
        _likelihood(values, derivatives, sd, np.where(np.arange(3) == cause, FAULT_SD, CAUSE_SD))
        for cause in range(3)
    )
    return none - delay, min(other for other, _ in others) - delay, lag_s


def _likelihood(
    values: np.ndarray, derivatives: np.ndarray, sd: np.ndarray, cause_sd: np.ndarray
) -> tuple[float, float]:
    """Return -2 times the logarithm of the likelihood of the values, plus a constant, and the delay, s.

    The values of each stride are those of the recording, plus the effects of the causes, plus an error that
    is independent from stride to stride.

    values, derivatives, sd: as in `_evidence`; cause_sd: [3], SD of each cause
    """
    own = np.broadcast_to(np.eye(2), (len(values), 2, 2))
    effect = np.concatenate([own, derivatives], axis=2) / sd[:, None]
    variance = np.concatenate([USUAL_END_SD, cause_sd]) ** 2
    information = np.diag(1 / variance) + np.einsum("nij,nik->jk", effect, effect)
    total = np.concatenate([USUAL_END, np.zeros(3)]) / variance
    total = total + np.einsum("nij,ni->j", effect, values / sd)
    mean = np.linalg.solve(information, total)
    deviance = -total @ mean + np.linalg.slogdet(information)[1] + np.log(variance).sum()
    return float(deviance), float(mean[2])


def _shifted(samples: np.ndarray, by: float) -> np.ndarray:
    """Return samples [N, 3] interpolated `by` samples later; beyond the ends, the end values."""
    place = np.arange(len(samples)) + by
    return np.column_stack([np.interp(place, np.arange(len(samples)), axis) for axis in samples.T])
