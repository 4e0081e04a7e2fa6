"""What tinystride_init computes from the sampling rate."""

from dataclasses import dataclass

import numpy as np

from tinystride.firmware import constants as c

single = np.float32


@dataclass(frozen=True)
class Design:
    """What tinystride_init computes, in the single precision that decides how numbers are rounded.

    samples_per_block; period_s: of a block; the rest in blocks, but window_samples and bridged, which are
    samples, and swing, which is in units of turning.
    """

    rate_hz: float
    samples_per_block: int
    period_s: float
    window: int
    window_samples: int
    reach: int
    calm_run: int
    pause: int
    half_pause: int
    soon: int
    standing_part: int
    standing_guard: int
    swing: int
    search: int
    bridged: int

    @staticmethod
    def of(rate_hz: float) -> "Design":
        """rate_hz: 40 to 420."""
        rate = single(rate_hz)
        samples = int(rate / single(c.BLOCK_HZ) + single(0.5))
        samples = 2 if samples < 2 and rate > single(c.MAX_BLOCK_HZ) else samples
        period = single(samples) / rate
        block_hz = single(1) / period

        def blocks(seconds: float) -> int:
            return int(single(seconds) * block_hz + single(0.5))

        window = blocks(c.ENERGY_WINDOW_S)
        return Design(
            rate_hz=float(rate),
            samples_per_block=samples,
            period_s=float(period),
            window=window,
            window_samples=window * samples,
            reach=blocks(c.MIN_STANCE_INTERVAL_S),
            calm_run=blocks(c.STATIONARY_RUN_S),
            pause=blocks(c.PAUSE_S),
            half_pause=blocks(c.PAUSE_S / 2),
            soon=blocks(c.SOON_S),
            standing_part=blocks(c.STANDING_PART_S),
            standing_guard=blocks(c.STANDING_GUARD_S),
            swing=int(single(c.MIN_SWING_RAD) * single(c.SWING_UNITS_PER_RADPS) * block_hz),
            search=int(single(c.RELEARN_S) * block_hz),
            bridged=int(single(c.MAX_GAP_S) * rate + single(1e-3)),
        )

    @property
    def block_hz(self) -> float:
        return 1 / self.period_s
