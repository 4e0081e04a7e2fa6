"""Search for a small network that corrects the integral: studies/results/small_networks.

Networks of one hidden layer see different numbers of a stride. Each is trained on measured lengths and tested
on the data set that was left out, on recordings as they are and thinned to 50 Hz. The second output is
the logarithm of the standard deviation, relative to that of gait.uncertainty. Two questions are answered:

- stance_motion.csv: do the coefficients of gait.strapdown.with_stance_motion carry over to other sets?
- networks.csv: is there a network that corrects the rest of the error, or knows better how sure it is?

The network computes in NumPy: it is small, and a search must be quick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.common import RAW, run_stage
from studies.common import STUDIES, write_table
from studies.interval_weights import FREEDOM, SETS, T_95
from studies.sensor_settings import at_rate
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording
from tinystride.errors import DataError
from tinystride.evaluation.agreement import agreement, differences
from tinystride.evaluation.metrics import INTERVAL_SD, REFERENCE_SD_CM
from tinystride.files import atomic_folder
from tinystride.gait import strapdown
from tinystride.gait.flags import shows_impacts
from tinystride.gait.strides import extract_strides

VARIANTS: dict[str, Callable[[Recording], Recording]] = {
    "as recorded": lambda it: it,
    "50 Hz": lambda it: at_rate(it, 50, False),
}
# Sets of one wearer are left out together.
WEARERS = (("gaitmap-mocap",), ("llio-ruler", "llio-ruler-2"), ("tripod-excerpt",), ("vicon",))
MOTION = ["push", "pitch_acceleration", "roll_rate", "approach"]
END = [
    "excess_x", "excess_y", "excess_z", "impact_x", "impact_z", "shared_impact_x", "tilt_x", "tilt_y",
    "height", "contact", "duration", "length", "rate_x", "rate_y", "rate_z", "spread_x", "spread_z",
    "spread_height", "share",
]  # fmt: skip
INPUTS = {
    "motion at mid-stance": (MOTION, False),
    "errors at the end": (END, False),
    "motion and errors": ([*MOTION, *END], False),
    "waveform": ([], True),
    "waveform and errors": (END, True),
}
TRAINING = {"as recorded": ("as recorded",), "also at 50 Hz": tuple(VARIANTS)}
HIDDEN, FILTERS, KERNEL, SEGMENTS = 8, 6, 5, 5
SEEDS, STEPS, BATCH, LEARNING_RATE, DECAY = 3, 300, 256, 5e-3, 0.03
# Larger errors and running are not used for training.
MAX_ERROR_CM, MAX_SPEED_MPS = 15.0, 2.0
MAX_INPUT = 3.0  # limit of an input, in robust standard deviations
MAX_LOG_SD = 1.5
MAD_TO_SD = 1.4826
HUBER_CM = 1.5


def numbers(recording: Recording) -> tuple[pd.DataFrame, np.ndarray]:
    """Return table and MOTION and END of the strides of a recording, and their waveforms [n, 64, 6]."""
    try:
        found = extract_strides(recording)
    except DataError:  # no stride found
        return pd.DataFrame(), np.zeros((0, strapdown.POINTS, 6))
    table = found.table.set_index("stride_id").loc[list(found.signals.stride_id)].reset_index()
    acc_mps2, gyr_radps, duration_s = strapdown.resample(found.signals)
    integral = strapdown.integrate(acc_mps2, gyr_radps, duration_s)
    excess_m = strapdown.untilted_excess_m(integral, acc_mps2, duration_s)
    steady = shows_impacts(integral)
    share, usual_m = strapdown.impact_share(excess_m[steady])
    contact = strapdown.limited_contact((table["initial_contact_s"] - table["start_s"]) / table["duration_s"])
    unusual_m = excess_m - [usual_m, 0, 0]
    force = np.einsum("nij,nj->ni", integral.orientation[:, -1], acc_mps2[:, -1])
    tilt = force / np.linalg.norm(force, axis=1)[:, None]
    motion = strapdown.stance_motion(integral, acc_mps2, gyr_radps, duration_s)
    height_m = integral.displacement_m[:, 2]
    spreads = [_spread(each[steady]) for each in (excess_m[:, 0], excess_m[:, 2], height_m)]
    values = [
        *motion.T, *unusual_m.T, *((contact - 0.5) * unusual_m[:, [0, 2]].T),
        (contact - 0.5) * share * unusual_m[:, 0], *(tilt[:, :2] * duration_s[:, None] ** 2).T, height_m,
        contact, duration_s, table["strapdown_length_cm"], *gyr_radps[:, -1].T,
        *np.tile([*spreads, share], (len(table), 1)).T,
    ]  # fmt: skip
    columns = dict(zip([*MOTION, *END], values, strict=True))
    columns["missed_cm"] = strapdown.missed_cm(motion) * np.minimum(
        table["strapdown_length_cm"] / strapdown.MIN_MOTION_LENGTH_CM, 1
    )
    waveform = np.concatenate([integral.velocity_mps, gyr_radps], axis=-1) * duration_s[:, None, None]
    kept = (table["usable"] & table["stride_length_cm"].notna()).to_numpy()
    return table.assign(**columns)[kept], waveform[kept]


def _spread(values: np.ndarray) -> float:
    return MAD_TO_SD * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


@dataclass
class Data:
    """Strides of all sets and variants.

    Attributes:
        table: as `numbers` returns it, with the column `variant`
        waveform: [n, 64, 6]
        error_cm: [n], integral minus reference
        target_cm: [n], correction to be learned: without the median error of each set as recorded
    """

    table: pd.DataFrame
    waveform: np.ndarray
    error_cm: np.ndarray
    target_cm: np.ndarray

    def rows(self, variants: tuple[str, ...], sets: tuple[str, ...]) -> np.ndarray:
        return (self.table["variant"].isin(variants) & self.table["dataset"].isin(sets)).to_numpy()

    def training_rows(self, variants: tuple[str, ...], left_out: tuple[str, ...]) -> np.ndarray:
        usual = (self.table["stride_length_cm"] / 100 / self.table["duration_s"] < MAX_SPEED_MPS).to_numpy()
        others = tuple(name for name in SETS if name not in left_out)
        return self.rows(variants, others) & usual & (np.abs(self.error_cm) < MAX_ERROR_CM)


def gather() -> Data:
    recordings = list(load_recordings(RAW, list(SETS)))
    parts, waveforms = [], []
    for variant, make in VARIANTS.items():
        for recording in tqdm(recordings, desc=variant, unit=""):
            table, waveform = numbers(make(recording))
            parts.append(table.assign(variant=variant))
            waveforms.append(waveform)
    table = pd.concat(parts, ignore_index=True)
    error_cm = (table["strapdown_length_cm"] - table["stride_length_cm"]).to_numpy()
    recorded = table["variant"] == "as recorded"
    median_cm = pd.Series(error_cm)[recorded].groupby(table["dataset"][recorded]).median()
    target_cm = table["dataset"].map(median_cm).to_numpy() - error_cm
    return Data(table, np.concatenate(waveforms), error_cm, target_cm)


def weights_of(data: Data, rows: np.ndarray) -> np.ndarray:
    """Return the weight [n] of each stride: a set or variant counts as the root of its number of strides."""
    return data.table[rows].groupby(["dataset", "variant"])["start_s"].transform("size").to_numpy() ** -0.5


def standardised(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return inputs [n, k] as robust deviations from the median of the rows, limited to MAX_INPUT."""
    middle = np.median(values[rows], axis=0)
    spread = MAD_TO_SD * np.median(np.abs(values[rows] - middle), axis=0)
    return np.clip((values - middle) / np.where(spread > 0, spread, 1), -MAX_INPUT, MAX_INPUT)


class Networks:
    """SEEDS networks side by side: optional convolution, one hidden layer, outputs correction and log SD.

    Args:
        n_numbers: number of inputs besides the waveform
        n_segments: SEGMENTS for a network that sees the waveform, else 0
        rng: random number generator
    """

    def __init__(self, n_numbers: int, n_segments: int, rng: np.random.Generator) -> None:
        n_inputs, patch = n_numbers + n_segments * FILTERS, 6 * KERNEL
        shapes = [(patch, FILTERS), (1, FILTERS), (n_inputs, HIDDEN), (1, HIDDEN), (HIDDEN, 2), (1, 2)]
        scales = [patch**-0.5, 0, n_inputs**-0.5, 0.3, 0.1 * HIDDEN**-0.5, 0]
        self.weights = [s * rng.normal(size=(SEEDS, *each)) for s, each in zip(scales, shapes, strict=True)]
        self.first = [np.zeros_like(each) for each in self.weights]
        self.second = [np.zeros_like(each) for each in self.weights]
        self.steps, self.n_segments = 0, n_segments

    @property
    def n_parameters(self) -> int:
        used = self.weights if self.n_segments else self.weights[2:]
        return sum(each[0].size for each in used)

    def run(self, inputs: np.ndarray, patches: np.ndarray) -> np.ndarray:
        """Return [SEEDS, n, 2] from inputs [SEEDS, n, k] and patches [SEEDS, n, SEGMENTS, m, 6 · KERNEL]."""
        self.patches = patches
        if self.n_segments:
            kernel, bias = self.weights[0][:, None, None], self.weights[1][:, None, None]
            self.filtered = np.maximum(patches @ kernel + bias, 0)
            pooled = self.filtered.mean(axis=3).reshape(*inputs.shape[:2], -1)
            inputs = np.concatenate([inputs, pooled], axis=2)
        self.inputs = inputs
        self.hidden = np.maximum(inputs @ self.weights[2] + self.weights[3], 0)
        return self.hidden @ self.weights[4] + self.weights[5]

    def learn(self, gradient: np.ndarray, rate: float) -> None:
        """Make one step of Adam. gradient: [SEEDS, n, 2] of the loss by the outputs."""
        back = (gradient @ self.weights[4].transpose(0, 2, 1)) * (self.hidden > 0)
        gradients = [
            np.zeros_like(self.weights[0]), np.zeros_like(self.weights[1]),
            self.inputs.transpose(0, 2, 1) @ back, back.sum(axis=1, keepdims=True),
            self.hidden.transpose(0, 2, 1) @ gradient, gradient.sum(axis=1, keepdims=True),
        ]  # fmt: skip
        if self.n_segments:
            seeds, n, segments, points, size = self.patches.shape
            pooled = (back @ self.weights[2].transpose(0, 2, 1))[:, :, -segments * FILTERS :]
            pooled = pooled.reshape(seeds, n, segments, 1, FILTERS) / points * (self.filtered > 0)
            flat = pooled.reshape(seeds, -1, FILTERS)
            gradients[0] = self.patches.reshape(seeds, -1, size).transpose(0, 2, 1) @ flat
            gradients[1] = flat.sum(axis=1, keepdims=True)
        self.steps += 1
        for i, each in enumerate(gradients):
            step = each + (DECAY * self.weights[i] if i % 2 == 0 else 0)
            self.first[i] = 0.9 * self.first[i] + 0.1 * step
            self.second[i] = 0.999 * self.second[i] + 0.001 * step**2
            first = self.first[i] / (1 - 0.9**self.steps)
            second = self.second[i] / (1 - 0.999**self.steps)
            self.weights[i] -= rate * first / (np.sqrt(second) + 1e-8)


def patches_of(waveform: np.ndarray) -> np.ndarray:
    """Return the windows [n, SEGMENTS, m, 6 · KERNEL] that the convolution sees, every second point."""
    windows = np.lib.stride_tricks.sliding_window_view(waveform, KERNEL, axis=1)[:, ::2]
    windows = windows.reshape(len(waveform), windows.shape[1], -1).astype(np.float32)
    m = windows.shape[1] // SEGMENTS
    return windows[:, : m * SEGMENTS].reshape(len(waveform), SEGMENTS, m, -1)


def trained(
    data: Data, rows: np.ndarray, names: list[str], waveform: bool, seed: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return correction and SD, cm, of all strides by each seed [SEEDS, n], and the number of parameters."""
    rng = np.random.default_rng(seed)
    values = standardised(data.table[names].to_numpy(float), rows)
    scale = np.quantile(np.abs(data.waveform[rows]), 0.95, axis=(0, 1))
    patches = patches_of(data.waveform / scale) if waveform else np.zeros((len(values), 1, 1, 1))
    sd_cm = data.table["length_sd_cm"].to_numpy()
    networks = Networks(len(names), SEGMENTS if waveform else 0, rng)
    places, weight = np.flatnonzero(rows), weights_of(data, rows)
    total = np.cumsum(weight / weight.sum())
    number = pd.factorize(data.table["dataset"])[0]
    # Each set has an offset of its own: the network must not learn how large the error of a set is.
    offset = np.zeros((SEEDS, number.max() + 1))
    for step in range(STEPS):
        batch = places[np.minimum(np.searchsorted(total, rng.random((SEEDS, BATCH))), len(places) - 1)]
        output = networks.run(values[batch], patches[batch])
        error_cm = output[..., 0] - data.target_cm[batch] + np.take_along_axis(offset, number[batch], axis=1)
        log_sd = np.clip(output[..., 1], -MAX_LOG_SD, MAX_LOG_SD)
        ratio = error_cm / (sd_cm[batch] * np.exp(log_sd)) * T_95 / INTERVAL_SD
        pull = (FREEDOM + 1) / FREEDOM * ratio / (1 + ratio**2 / FREEDOM)
        # The correction is learned with Huber's loss in cm, which the SD does not weigh.
        gradient = np.stack([np.clip(error_cm, -HUBER_CM, HUBER_CM), 1 - pull * ratio], axis=-1) / BATCH
        falling = 0.5 + 0.5 * np.cos(np.pi * step / STEPS)
        networks.learn(gradient, LEARNING_RATE * min(1, step / 50) * falling)
        for i in range(SEEDS):
            count = np.bincount(number[batch[i]], minlength=offset.shape[1])
            offset[i] -= (
                0.3
                * np.bincount(number[batch[i]], gradient[i, :, 0] * BATCH, offset.shape[1])
                / np.maximum(count, 1)
            )
    everything = [
        [np.broadcast_to(each[part], (SEEDS, *each[part].shape)) for each in (values, patches)]
        for part in np.array_split(np.arange(len(values)), 20)
    ]
    output = np.concatenate([networks.run(*part) for part in everything], axis=1)
    recorded = rows & (data.table["variant"] == "as recorded").to_numpy()
    usual = [np.median(output[:, recorded & (number == i), 0], axis=1) for i in np.unique(number[recorded])]
    correction_cm = output[..., 0] - np.mean(usual, axis=0)[:, None]
    return (
        correction_cm,
        sd_cm * np.exp(np.clip(output[..., 1], -MAX_LOG_SD, MAX_LOG_SD)),
        networks.n_parameters,
    )


def coefficients(data: Data, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cm per unit [4] of MOTION and the usual motion [4]: Huber regression, with an offset per set."""
    motion, sets = data.table[MOTION].to_numpy(), data.table["dataset"].to_numpy()
    short_cm = data.table["missed_cm"].to_numpy() - data.error_cm
    names = np.unique(sets[rows])
    middle = np.mean([np.median(motion[rows & (sets == name)], axis=0) for name in names], axis=0)
    spread = MAD_TO_SD * np.mean(
        [np.median(np.abs(motion[rows & (sets == name)] - middle), axis=0) for name in names], axis=0
    )
    inputs = np.clip((motion - middle) / spread, -2, 2)
    found = np.zeros(len(MOTION))
    for _ in range(10):
        left, right = np.eye(len(MOTION)), np.zeros(len(MOTION))
        for name in names:
            own = rows & (sets == name)
            x, y = inputs[own] - inputs[own].mean(axis=0), short_cm[own] - np.median(short_cm[own])
            weight = 1 / np.maximum(1, np.abs(y - x @ found) / HUBER_CM) / own.sum()
            left, right = left + (x * weight[:, None]).T @ x, right + x.T @ (weight * y)
        found = np.linalg.solve(left, right)
    return found / spread, middle


def motion_rows(data: Data, **bootstrap: int) -> Iterator[dict]:
    """Return for each set the median error without the foot's motion, and with coefficients of other sets."""
    for left_out in WEARERS:
        slope, usual = coefficients(data, data.training_rows(("as recorded",), left_out))
        for name in left_out:
            own = data.table[data.rows(("as recorded",), (name,))]
            without_cm = own["strapdown_length_cm"] - own["missed_cm"]
            missed_cm = np.clip(
                (own[MOTION].to_numpy() - usual) * slope, -strapdown.MAX_MISSED_CM, strapdown.MAX_MISSED_CM
            ).sum(axis=1)
            yield {
                "set": name,
                "n_strides": len(own),
                **dict(zip(MOTION, slope, strict=True)),
                **compared(own, without_cm + missed_cm, without_cm, **bootstrap),
            }


def compared(own: pd.DataFrame, length_cm: pd.Series, before_cm: pd.Series, **bootstrap: int) -> dict:
    """Return RMSE and median error before and after, and the change of the median with its interval."""
    before, after = (agreement(own, each, seed=0, resamples=1) for each in (before_cm, length_cm))
    change = differences(own, length_cm.to_numpy(), before_cm.to_numpy(), **bootstrap)
    low, high = change["median_abs_difference_cm_ci95"] or (np.nan, np.nan)
    return {
        "rmse_before_cm": before["rmse_cm"],
        "rmse_cm": after["rmse_cm"],
        "median_before_cm": before["median_abs_cm"],
        "median_abs_cm": after["median_abs_cm"],
        "median_difference_cm": change["median_abs_difference_cm"],
        "median_difference_cm_low": low,
        "median_difference_cm_high": high,
    }


def certainty(own: pd.DataFrame, error_cm: np.ndarray, sd_cm: np.ndarray) -> tuple[float, float]:
    """Return the share of errors within the interval, and the RMSE of the surest 80 % over that of all."""
    sure = sd_cm <= np.quantile(sd_cm, 0.8)
    noise_cm = own["reference"].map(REFERENCE_SD_CM).fillna(0.0)
    covered = np.abs(error_cm) <= INTERVAL_SD * np.hypot(sd_cm, noise_cm)
    return float(covered.mean()), float(np.sqrt((error_cm[sure] ** 2).mean() / (error_cm**2).mean()))


def network_rows(data: Data, seed: int, resamples: int) -> Iterator[dict]:
    """Return a row for each network, set and variant, each set left out."""
    for inputs, (names, waveform) in tqdm(INPUTS.items(), desc="networks", unit=""):
        for training, variants in TRAINING.items():
            for left_out in WEARERS:
                rows = data.training_rows(variants, left_out)
                correction_cm, sd_cm, n_parameters = trained(data, rows, names, waveform, seed)
                for name in left_out:
                    for variant in VARIANTS:
                        test = data.rows((variant,), (name,))
                        own, mean_cm = data.table[test], correction_cm[:, test].mean(axis=0)
                        mean_sd_cm = np.sqrt((sd_cm[:, test] ** 2).mean(axis=0))
                        before_cm = own["strapdown_length_cm"]
                        single_cm = np.abs(data.error_cm[test] + correction_cm[:, test])
                        error_cm = data.error_cm[test]
                        covered, surest = certainty(own, error_cm, own["length_sd_cm"].to_numpy())
                        network_covered, network_surest = certainty(own, error_cm + mean_cm, mean_sd_cm)
                        yield {
                            "inputs": inputs,
                            "trained": training,
                            "parameters": n_parameters,
                            "set": name,
                            "variant": variant,
                            "n_strides": len(own),
                            **compared(
                                own,
                                before_cm + mean_cm,
                                before_cm,
                                seed=seed,
                                resamples=resamples if variant == "as recorded" else 1,
                            ),
                            "median_sd_of_seeds_cm": float(np.median(single_cm, axis=1).std()),
                            "coverage_before": covered,
                            "coverage": network_covered,
                            "surest80_before": surest,
                            "surest80": network_surest,
                        }


def main(parameters: dict) -> None:
    data, bootstrap = gather(), {"seed": parameters["seed"], **parameters["evaluate"]}
    with atomic_folder(STUDIES / "small_networks") as folder:
        write_table(list(motion_rows(data, **bootstrap)), folder / "stance_motion.csv")
        write_table(list(network_rows(data, **bootstrap)), folder / "networks.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:small-networks", main)
