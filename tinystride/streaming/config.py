"""Values derived from the sampling rate: tinystride_init of firmware/tinystride.c."""

from dataclasses import dataclass

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.filters import block_invariant, lowpass_delay_s

single = np.float32


@dataclass(frozen=True)
class Design:
    """Values that tinystride_init computes, in single precision so that they are rounded as in C.

    Attributes:
        rate_hz: sampling rate, 40 to 420 Hz
        samples_per_block: samples that are summed to a block of about 1/60 s
        period_s: duration of a block, s
        window: length of the energy window, blocks
        window_samples: length of the energy window, samples
        stance_interval: minimum time between two mid-stances, blocks
        stationary_run: stationary time after which the foot stands, blocks
        pause: rest after which a stride ends, blocks
        half_pause: half of `pause`, blocks
        soon: time after the foot has come to rest within which a stride ends, blocks
        standing_part: a third of a standing window, blocks
        standing_guard: time that the foot must stand after a standing window, blocks
        moving_interval: minimum time between a stance and a later one with more motion, blocks
        running_interval: the same, if the motion of both stances is similar, blocks
        min_swing: minimum rotation of a swing, 1/1600 rad/s times blocks
        relearn_blocks: time without stance after which the force at stance is relearned, blocks
        max_bridged: maximum length of a gap that is interpolated, samples
    """

    rate_hz: float
    samples_per_block: int
    period_s: float
    window: int
    window_samples: int
    stance_interval: int
    stationary_run: int
    pause: int
    half_pause: int
    soon: int
    standing_part: int
    standing_guard: int
    moving_interval: int
    running_interval: int
    min_swing: int
    relearn_blocks: int
    max_bridged: int

    @staticmethod
    def of(rate_hz: float) -> "Design":
        """Compute the values.

        Args:
            rate_hz: sampling rate, 40 to 420 Hz

        Returns:
            the values
        """
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
            stance_interval=blocks(c.MIN_STANCE_INTERVAL_S),
            stationary_run=blocks(c.STATIONARY_RUN_S),
            pause=blocks(c.PAUSE_S),
            half_pause=blocks(c.PAUSE_S / 2),
            soon=blocks(c.SOON_S),
            standing_part=blocks(c.STANDING_PART_S),
            standing_guard=blocks(c.STANDING_GUARD_S),
            moving_interval=blocks(c.MIN_MOVING_INTERVAL_S),
            running_interval=blocks(c.MIN_RUNNING_INTERVAL_S),
            min_swing=int(single(c.MIN_SWING_RAD) * single(c.SWING_UNITS_PER_RADPS) * block_hz),
            relearn_blocks=int(single(c.RELEARN_S) * block_hz),
            max_bridged=int(single(c.MAX_GAP_S) * rate + single(1e-3)),
        )

    @property
    def block_hz(self) -> float:
        """Rate of blocks, Hz."""
        return 1 / self.period_s

    @property
    def delay(self) -> float:
        """Delay of slow signals in the low-pass, blocks."""
        design = block_invariant(self.samples_per_block)
        return lowpass_delay_s(self.block_hz, c.LOWPASS_HZ, design) * self.block_hz
