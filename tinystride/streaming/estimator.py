"""The Python twin of the C estimator, in the same parts as `firmware`.

Decisions about strides use integer arithmetic in both, so they agree exactly. Computations of one stride use
double precision here and single precision in C. Parts: `config`, `state`, `frame`, `clipping`, `integrate`,
`impacts`, `plausibility`, `stride`, `stance`, `standing`, `block`.
"""

from tinystride.streaming.block import Segment
from tinystride.streaming.config import Design
from tinystride.streaming.stance import Stances
from tinystride.streaming.standing import Standing
from tinystride.streaming.state import Stride
from tinystride.streaming.stride import Measure


class Estimator:
    """The state of one foot (tinystride_t).

    Args:
        design: values derived from the sampling rate
        foot: "left" or "right"

    Attributes:
        strides: strides so far
    """

    def __init__(self, design: Design, foot: str):
        self.design = design
        self.strides: list[Stride] = []
        self._standing = Standing(design)
        self._measure = Measure(design, -1.0 if foot == "left" else 1.0, self._standing)
        self._stances = Stances(design, self._emit)

    def process_segment(self, segment: Segment) -> None:
        """Process all blocks of a segment and append its strides to `strides`.

        Args:
            segment: samples without a gap that is too long to interpolate
        """
        self._restart_after_gap(segment.first_sample)
        self._segment = segment
        self._stances.reset_stream(segment)
        self._standing.restart()
        forces, energies = segment.force.tolist(), segment.energy.tolist()
        reported = len(self.strides)
        for n in range(len(segment.energy)):
            if n < segment.finish:
                reported = len(self.strides)
            elif len(self.strides) > reported:
                return
            else:
                self._standing.restart()  # a repeated sample does not count as standing
            for event in ("saturated", "gap", "jumped"):
                marked = getattr(segment, event)
                if marked[n]:
                    self._stances.stride.record_event(event, n)
            if n + 1 < self.design.window:
                self._stances.skip_block(n)
            else:
                self._standing.process_block(segment, n, energies[n], forces[n])
                self._stances.process_block(n, energies[n], forces[n])

    def _restart_after_gap(self, first_sample: int) -> None:
        """End an open stance, which ends a stride, before the gap."""
        reported = len(self.strides)
        self._stances.restart()
        for stride in self.strides[reported:]:
            stride.latency_s = (first_sample - stride.end) / self.design.rate_hz

    def _emit(self, end: int) -> None:
        """Append the stride that ends at place `end`, if its length is valid."""
        stride = self._measure.stride(self._segment, self._stances, end)
        if stride is not None:
            self.strides.append(stride)
