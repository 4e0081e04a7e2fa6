"""The packets of a live sensor, written from their description in docs/demo.md."""

import binascii
import struct
from collections.abc import Iterator

import numpy as np
import pandas as pd

from tinystride.datasets.recording import FEET, Recording
from tinystride.datasets.samples import AXES

MAX_SAMPLES = 18


class Sensor:
    """A sensor of 16 bits that has measured a recording."""

    def __init__(self, recording: Recording, acc_range_g: float = 16.0, gyr_range_dps: float = 2000.0):
        self.recording = recording
        self.scales = (
            np.float32(acc_range_g * 9.80665 / 2**15),
            np.float32(np.deg2rad(gyr_range_dps) / 2**15),
        )
        counts = [
            np.clip(np.rint(values / scale), -(2**15), 2**15 - 1)
            for values, scale in zip((recording.acc_mps2, recording.gyr_radps), self.scales, strict=True)
        ]
        self.counts = np.column_stack(counts).astype("<i2")

    def table(self, kept: np.ndarray | None = None) -> pd.DataFrame:
        """time_s and AXES of the samples, in m/s² and rad/s with all digits."""
        values = np.column_stack(
            [
                self.counts[:, :3] * self.scales[0].astype(float),
                self.counts[:, 3:] * self.scales[1].astype(float),
            ]
        )
        table = pd.DataFrame(values, columns=list(AXES))
        table.insert(0, "time_s", np.arange(len(table)) / self.recording.rate_hz)
        return table if kept is None else table[kept]

    def packets(self, size: int = 8, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """(number of the first sample, bytes) of each packet; the sequence begins at `first`."""
        for start in range(0, len(self.counts), size):
            yield start, self.packet(start, self.counts[start : start + size], first)

    def packet(self, start: int, counts: np.ndarray, first: int = 0) -> bytes:
        rate_hz = self.recording.rate_hz
        head = struct.pack(
            "<2sBBIIfffBx", b"TS", 1, FEET.index(self.recording.foot), (start + first) % 2**32,
            round(start / rate_hz * 1e6) % 2**32, rate_hz, *self.scales, len(counts),
        )  # fmt: skip
        body = head + counts.tobytes()
        return body + struct.pack("<H", binascii.crc_hqx(body, 0xFFFF))
