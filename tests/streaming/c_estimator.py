"""Call the functions of the C library one by one, like firmware."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np

from tinystride.streaming.table import STRIDE, flag_words

SIZE = """
#include "tinystride.h"
unsigned long size(void);
unsigned long size(void) { return sizeof(tinystride_t); }
"""
FEET = ("left", "right")
OK, NEW_STRIDE = 0, 1
ERROR_NULL, ERROR_RATE, ERROR_FOOT, ERROR_STATE, ERROR_SAMPLE, ERROR_TIME, ERROR_UNITS = range(-1, -8, -1)


class Library:
    def __init__(self, folder: Path, target: Path):
        (target / "size.c").write_text(SIZE)
        sources = [*sorted((folder / "src").glob("*.c")), target / "size.c"]
        flags = ["-std=c99", "-O1", "-fPIC", "-shared", f"-I{folder / 'include'}"]
        subprocess.run(["cc", *flags, *sources, "-lm", "-o", target / "estimator.so"], check=True)
        self.c = ctypes.CDLL(str(target / "estimator.so"))


class CEstimator:
    """The state of one foot, tinystride_t, and the strides that it reported."""

    def __init__(self, library: Library, rate_hz: float, foot: str = "right"):
        self.c = library.c
        self.state = ctypes.create_string_buffer(self.c.size())
        self.stride = np.zeros(1, STRIDE)
        self.strides: list[np.void] = []
        self.status = self.c.tinystride_init(self.state, ctypes.c_float(rate_hz), FEET.index(foot))

    def _take(self, status: int) -> int:
        if status == NEW_STRIDE:
            self.strides.append(self.stride[0].copy())
        return status

    def _where(self):
        return ctypes.c_void_p(self.stride.ctypes.data)

    def push(self, acc_mps2, gyr_radps) -> int:
        acc, gyr = ((ctypes.c_float * 3)(*values) for values in (acc_mps2, gyr_radps))
        return self._take(self.c.tinystride_push(self.state, acc, gyr, self._where()))

    def push_at(self, time_us: int, acc_mps2, gyr_radps) -> int:
        acc, gyr = ((ctypes.c_float * 3)(*values) for values in (acc_mps2, gyr_radps))
        stamp = ctypes.c_uint32(time_us % (1 << 32))
        return self._take(self.c.tinystride_push_at(self.state, stamp, acc, gyr, self._where()))

    def push_int16(self, acc, gyr, acc_scale_mps2: float, gyr_scale_radps: float) -> int:
        acc, gyr = ((ctypes.c_int16 * 3)(*values) for values in (acc, gyr))
        scales = ctypes.c_float(acc_scale_mps2), ctypes.c_float(gyr_scale_radps)
        return self._take(self.c.tinystride_push_int16(self.state, acc, gyr, *scales, self._where()))

    def gap(self, samples: int) -> int:
        return self.c.tinystride_gap(self.state, ctypes.c_uint32(samples))

    def finish(self) -> int:
        return self._take(self.c.tinystride_finish(self.state, self._where()))

    def reset(self) -> int:
        return self.c.tinystride_reset(self.state)

    @property
    def lengths_cm(self) -> np.ndarray:
        return np.array([stride["length_cm"] for stride in self.strides])

    @property
    def starts(self) -> np.ndarray:
        return np.array([int(stride["start_sample"]) for stride in self.strides])

    @property
    def flags(self) -> list[str]:
        return [flag_words(stride["flags"]) for stride in self.strides]
