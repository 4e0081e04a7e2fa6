"""Simulated inertial sensor: noise, offsets, scale errors, clipping, quantization and lost samples."""

import attrs
import numpy as np

from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2, fill_gaps
from tinystride.validation import real_number, whole_number


@attrs.frozen
class VirtualSensor:
    """Errors of an accelerometer and a gyroscope; by default all are zero.

    Raises:
        ParameterError: for `oversampling`, `lost` or `run_length` out of its range

    Attributes:
        acc_noise_density: white noise, m/s²/√Hz
        gyr_noise_density: white noise, rad/s/√Hz
        acc_bias_mps2: constant offsets of the three axes
        gyr_bias_radps: constant offsets of the three axes
        gyr_drift: random walk of the gyroscope's offset, rad/s/√s
        acc_scale: relative scale errors of the three axes
        gyr_scale: relative scale errors of the three axes
        acc_range_mps2: full scale, at which samples are clipped
        gyr_range_radps: full scale, at which samples are clipped
        acc_step_mps2: value of one count; 0: not quantized
        gyr_step_radps: value of one count; 0: not quantized
        oversampling: each sample is the mean of this many values over its interval, a simple anti-alias
            filter
        lost: share of lost samples, filled by interpolation
        run_length: mean number of samples lost in a row
    """

    acc_noise_density: float = 0.0
    gyr_noise_density: float = 0.0
    acc_bias_mps2: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gyr_bias_radps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gyr_drift: float = 0.0
    acc_scale: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gyr_scale: tuple[float, float, float] = (0.0, 0.0, 0.0)
    acc_range_mps2: float = float("inf")
    gyr_range_radps: float = float("inf")
    acc_step_mps2: float = 0.0
    gyr_step_radps: float = 0.0
    oversampling: int = attrs.field(default=3, validator=whole_number(1))
    lost: float = attrs.field(default=0.0, validator=real_number(0, below=0.5))
    run_length: float = attrs.field(default=2.0, validator=real_number(1))

    @staticmethod
    def draw(
        rng: np.random.Generator, *, acc_range_g: float = 16.0, gyr_range_dps: float = 2000.0
    ) -> "VirtualSensor":
        """Return a random 16-bit sensor of the kind worn on shoes.

        Typical numbers of consumer MEMS parts: noise 5-12 mdps/√Hz and 80-230 µg/√Hz, offsets mostly below
            0.5 deg/s
        and 30 mg, scale errors of about 0.4 %.

        Args:
            rng: random number generator
            acc_range_g: full scale of the accelerometer
            gyr_range_dps: full scale of the gyroscope, deg/s
        """
        g, dps = STANDARD_GRAVITY_MPS2, np.deg2rad(1.0)
        return VirtualSensor(
            acc_noise_density=rng.uniform(80e-6, 230e-6) * g,
            gyr_noise_density=rng.uniform(5e-3, 12e-3) * dps,
            acc_bias_mps2=tuple(rng.normal(0, 0.015 * g, 3)),
            gyr_bias_radps=tuple(rng.normal(0, 0.25 * dps, 3)),
            gyr_drift=3e-3 * dps,
            acc_scale=tuple(rng.normal(0, 0.004, 3)),
            gyr_scale=tuple(rng.normal(0, 0.004, 3)),
            acc_range_mps2=acc_range_g * g,
            gyr_range_radps=gyr_range_dps * dps,
            acc_step_mps2=acc_range_g * g / 2**15,
            gyr_step_radps=gyr_range_dps * dps / 2**15,
        )

    def with_losses(self, lost: float, run_length: float = 2.0) -> "VirtualSensor":
        """Return the same sensor with lost samples.

        Args:
            lost: share of lost samples
            run_length: mean number of samples lost in a row
        """
        return attrs.evolve(self, lost=lost, run_length=run_length)

    def measure(
        self, acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return samples of the true motion.

        Args:
            acc_mps2: true specific force, [n * oversampling, 3], `oversampling` values centred on each sample
            gyr_radps: true angular rate, same shape
            rate_hz: sampling rate
            rng: random number generator

        Returns:
            acc_mps2 and gyr_radps [n, 3], gaps [k, 2] (half-open, as in Recording), and the true offset of
            the gyroscope [n, 3].
        """
        acc, gyr = (x.reshape(-1, self.oversampling, 3).mean(axis=1) for x in (acc_mps2, gyr_radps))
        walk = np.cumsum(rng.standard_normal(gyr.shape), axis=0) * self.gyr_drift / np.sqrt(rate_hz)
        offset = np.asarray(self.gyr_bias_radps) + walk
        bandwidth = np.sqrt(rate_hz / 2)
        acc = acc * (1 + np.asarray(self.acc_scale)) + np.asarray(self.acc_bias_mps2)
        acc = acc + self.acc_noise_density * bandwidth * rng.standard_normal(acc.shape)
        gyr = gyr * (1 + np.asarray(self.gyr_scale)) + offset
        gyr = gyr + self.gyr_noise_density * bandwidth * rng.standard_normal(gyr.shape)
        acc = _digitize(acc, self.acc_range_mps2, self.acc_step_mps2)
        gyr = _digitize(gyr, self.gyr_range_radps, self.gyr_step_radps)
        kept = np.flatnonzero(~self._losses(len(acc), rng))
        samples, gaps = fill_gaps("virtual sensor", kept, np.column_stack([acc, gyr])[kept])
        return samples[:, :3], samples[:, 3:], gaps, offset

    def _losses(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return which of n samples are lost: a two-state chain; first and last sample are never lost."""
        change = rng.random(n)
        lost = np.zeros(n, dtype=bool)
        if self.lost:
            begin = self.lost / (1 - self.lost) / self.run_length
            for i in range(1, n - 1):
                lost[i] = change[i] < (1 - 1 / self.run_length if lost[i - 1] else begin)
        return lost


def _digitize(x: np.ndarray, full_scale: float, step: float) -> np.ndarray:
    x = np.clip(x, -full_scale, full_scale)
    return np.rint(x / step) * step if step else x
