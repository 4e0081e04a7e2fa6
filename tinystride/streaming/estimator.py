"""The streaming estimator: the C of `firmware`, part by part, in Python.

Decisions about strides use integers, as there, so that both decide alike; what happens once per stride is in
double precision here and in single precision there. The parts: `config`, `state`, `frame`, `integrate`,
`plausibility`, `stride`, `stance`, `standing`, `block`.
"""

from tinystride.streaming.block import Segment
from tinystride.streaming.config import Design
from tinystride.streaming.stance import Stances
from tinystride.streaming.standing import Standing
from tinystride.streaming.state import Stride
from tinystride.streaming.stride import Measure


class Estimator:
    """One foot: sensor, mounting and wearer as far as known, and the current stride.

    foot: "left" or "right"; strides: those so far
    """

    def __init__(self, design: Design, foot: str):
        self.design = design
        self.strides: list[Stride] = []
        self._standing = Standing(design)
        self._measure = Measure(design, -1.0 if foot == "left" else 1.0, self._standing)
        self._stances = Stances(design, self._emit)

    def process_segment(self, segment: Segment) -> None:
        """Take all blocks of a segment; its strides are appended to `strides`."""
        self._restart_after_gap(segment.first_sample)
        self._segment = segment
        self._stances.begin(segment)
        self._standing.restart()
        forces, energies = segment.force.tolist(), segment.energy.tolist()
        reported = len(self.strides)
        for n in range(len(segment.energy)):
            if n < segment.finish:
                reported = len(self.strides)
            elif len(self.strides) > reported:
                return
            else:
                self._standing.restart()  # a repeated sample is not standing
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
        """A stance that was open has ended its stride, before the gap."""
        reported = len(self.strides)
        self._stances.restart()
        for stride in self.strides[reported:]:
            stride.latency_s = (first_sample - stride.end) / self.design.rate_hz

    def _emit(self, end: int) -> None:
        stride = self._measure.stride(self._segment, self._stances, end)
        if stride is not None:
            self.strides.append(stride)
