"""The constants of the streaming estimator, named as in tinystride.c, and what follows from rate."""

from dataclasses import dataclass

import numpy as np

ACC_UNIT, GYR_UNIT = 0.005, 0.00125
ENERGY_SHIFT = 6
UNRESTS_PER_ACC = 25
LARGEST_ACC, LARGEST_GYR = 1000.0, 200.0
BLOCK_HZ = 58.0
MOST_BLOCKS_HZ = 76.0
LOWPASS_HZ = 10.0
ENERGY_WINDOW_S = 0.08
CALM = 6400
LARGEST_STANCE_UNREST = 57600
UNREST_FLOOR = 900
MOST_UNREST = 65535
MOST_APART = 2048
COS_LARGEST_TILT = 0.87758256
SMALLEST_STANCE_INTERVAL_S = 0.35
SMALLEST_SWING_RAD = 0.5
TURNED_PER_RADPS = 1600.0
PAUSE_S = 1.2
SOON_S = 0.3
CALM_RUN_S = 0.3
SEARCH_S = 2.0
CONTACT_AFTER_CROSSING_S = 0.026
LEAST_REST, LARGEST_REST = 2779324, 5087413
STANDING_GYR, STANDING_ACC, LARGEST_BIAS = 32, 60, 80
STANDING_UNREST = 400
LONGEST_GAP_S = 0.03
GAP_MPS = 0.1
CLIPPED_SAMPLES = 3
LEAST_ACC_FULL_SCALE, LEAST_GYR_FULL_SCALE = 3922, 3490
COUNT_LIMIT = 30000
STUCK_BLOCKS, LEAST_STUCK_ENERGY = 2, 640
SHORTEST_S, LONGEST_S = 0.6, 2.0
SHORTEST_CM, LONGEST_CM = 40.0, 220.0
COS_TURN = 0.8660254
CLIMB_M = 0.2
LARGEST_VERTICAL_MPS = 0.3
ORDINARY_STRIDES, FEWEST_ORDINARY = 8, 4
UNSTEADY_MPS = 2.5
TAN_UNSTEADY_TILT = 0.25534192
COS_SLIP = 0.98006658
SQUARED_SLIP = 0.01
COS_TWIST = 0.9
LARGEST_CORRECTION_CM = 10.0
LARGEST_CLIPPED = 3
FRAME_MEMORY, FORWARD_MEMORY = 0.75, 0.5
SQUARED_BACK = 0.04
PARTS_OF_BLOCK = 16384
MOST_WALKED = 20
STRIDES_TO_BELIEVE = 4.0
USUAL_TILT_RAD = 0.1
BIAS_WALK = 2e-5
STANDING_VARIANCE = 1e-3
TINYSTRIDE_RING, TINYSTRIDE_UNRESTS = 208, 128

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
    half_second: int
    swing: int
    search: int
    bridged: int

    @staticmethod
    def of(rate_hz: float) -> "Design":
        """rate_hz: 50 to 400."""
        rate = single(rate_hz)
        samples = int(rate / single(BLOCK_HZ) + single(0.5))
        samples = 2 if samples < 2 and rate > single(MOST_BLOCKS_HZ) else samples
        period = single(samples) / rate
        block_hz = single(1) / period

        def blocks(seconds: float) -> int:
            return int(single(seconds) * block_hz + single(0.5))

        window = blocks(ENERGY_WINDOW_S)
        return Design(
            rate_hz=float(rate),
            samples_per_block=samples,
            period_s=float(period),
            window=window,
            window_samples=window * samples,
            reach=blocks(SMALLEST_STANCE_INTERVAL_S),
            calm_run=blocks(CALM_RUN_S),
            pause=blocks(PAUSE_S),
            half_pause=blocks(PAUSE_S / 2),
            soon=blocks(SOON_S),
            half_second=blocks(0.5),
            swing=int(single(SMALLEST_SWING_RAD) * single(TURNED_PER_RADPS) * block_hz),
            search=int(single(SEARCH_S) * block_hz),
            bridged=int(single(LONGEST_GAP_S) * rate + single(1e-3)),
        )

    @property
    def block_hz(self) -> float:
        return 1 / self.period_s
