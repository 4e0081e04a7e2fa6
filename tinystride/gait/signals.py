"""Samples of many strides in one array, as in signals.npz."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tinystride.errors import DataError
from tinystride.files import atomic_write

FIELDS = ("stride_id", "rate_hz", "offset", "mid_stance", "initial_contact", "acc_mps2", "gyr_radps")


@dataclass(frozen=True, eq=False)
class StrideSignals:
    """Samples of n strides at their native rates, in the canonical foot frame.

    Axes: x forward, y left, z up at stance. Left feet are mirrored to look like right feet.

    Attributes:
        stride_id: [n] str, as in strides.parquet
        rate_hz: [n] float64, sampling rate
        offset: [n + 1] int64; stride i has the samples offset[i]:offset[i + 1], from a margin before its
            first event to a margin after its last event
        mid_stance: [n, 2] float64, the two mid-stances that bound the stride, as fractional sample numbers
            within its samples
        initial_contact: [n, 2] float64, the initial contact before each of these mid-stances, likewise; NaN
            if it was not found
        acc_mps2: [N, 3] float32, specific force
        gyr_radps: [N, 3] float32, angular rate without bias
    """

    stride_id: np.ndarray
    rate_hz: np.ndarray
    offset: np.ndarray
    mid_stance: np.ndarray
    initial_contact: np.ndarray
    acc_mps2: np.ndarray
    gyr_radps: np.ndarray

    def __len__(self) -> int:
        return len(self.stride_id)

    def select(self, stride_ids: Collection[str]) -> "StrideSignals":
        """Return the given strides, in the given order.

        Args:
            stride_ids: ids of the strides to return

        Raises:
            DataError: if there are no samples of one of them
        """
        row = {stride: i for i, stride in enumerate(self.stride_id)}
        missing = [stride for stride in stride_ids if stride not in row]
        if missing:
            raise DataError(f"signals.npz: no samples of stride {missing[0]}; run the preprocess stage again")
        rows = np.array([row[stride] for stride in stride_ids], dtype=np.int64)
        lengths = self.offset[rows + 1] - self.offset[rows]
        offset = np.concatenate([[0], np.cumsum(lengths)])
        samples = np.repeat(self.offset[rows] - offset[:-1], lengths) + np.arange(offset[-1])
        return StrideSignals(
            stride_id=self.stride_id[rows],
            rate_hz=self.rate_hz[rows],
            offset=offset,
            mid_stance=self.mid_stance[rows],
            initial_contact=self.initial_contact[rows],
            acc_mps2=self.acc_mps2[samples],
            gyr_radps=self.gyr_radps[samples],
        )

    @staticmethod
    def concatenate(parts: "list[StrideSignals]") -> "StrideSignals":
        """Return the strides of all parts, in their order.

        Args:
            parts: at least one
        """
        lengths = np.concatenate([np.diff(part.offset) for part in parts])
        return StrideSignals(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in FIELDS
                if name != "offset"
            },
            offset=np.concatenate([[0], np.cumsum(lengths)]),
        )

    def save(self, path: Path | str) -> None:
        """Write an archive of NumPy arrays. Equal strides give equal bytes.

        Args:
            path: path of the archive, *.npz
        """
        # np.savez writes no time of creation, unlike other zip writers.
        with atomic_write(path) as partial, open(partial, "wb") as file:
            np.savez(file, **{name: getattr(self, name) for name in FIELDS})

    @staticmethod
    def load(path: Path | str) -> "StrideSignals":
        """Return the strides of an archive that `save` wrote.

        Args:
            path: path of the archive

        Raises:
            DataError: if the file is missing or is not such an archive
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                return StrideSignals(**{name: archive[name] for name in FIELDS})
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise DataError(
                f"{path}: not a signals archive ({error}); run the preprocess stage again"
            ) from error
