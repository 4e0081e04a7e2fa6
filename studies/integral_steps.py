"""Measure the effect of each step of the estimator on all measured sets: studies/results/integral_steps.

The steps add up: the integral with the former calibration, today's calibration, the corrections of the tilt
at the start, of drift at foot contact and of the foot's motion at mid-stance, the network that was not
trained on the set. All steps use the same mid-stances. Two starts are compared: recordings as they are, and
cut so that only 0.5, 1.0 or 1.5 s of standing remain before the first step, in turn, and none after the last
one. Simulated slow walkers start after little standing, too. Intervals come from resampling people or blocks
of strides.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.common import INT8_TFLITE, RAW, RESULTS, SPLIT, run_stage
from studies.common import STUDIES, measured, write_table
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording, is_trajectory
from tinystride.datasets.simulator import simulate_walk_with_truth
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.errors import DataError
from tinystride.evaluation.agreement import agreement
from tinystride.evaluation.metrics import INTERVAL_SD, REFERENCE_SD_CM
from tinystride.files import atomic_folder, read_json
from tinystride.gait import calibration, strapdown
from tinystride.gait.events import find_strides, movement
from tinystride.gait.filters import moving_mean
from tinystride.gait.foot_frame import find_foot_frame, to_foot_frame
from tinystride.gait.signals import StrideSignals
from tinystride.gait.strides import extract_strides
from tinystride.learning.prediction import Network

SETS = ("gaitmap-mocap", "llio-ruler", "llio-ruler-2", "tripod-excerpt", "vicon")
STATISTICS = ("rmse_cm", "median_abs_cm")
STEPS = (
    "as it was",
    "standing mended",
    "tilt at the start",
    "drift at contact",
    "motion at mid-stance",
    "network",
)
WITH_SD, CERTAINTY = STEPS[4:], ("coverage", "surest80_rmse_cm")
STANDING_S = (0.5, 1.0, 1.5)
SIMULATED_MPS, SIMULATED_PEOPLE, SIMULATED_STRIDES = (0.55, 0.8), 12, 15
AFTER_LAST_S = 0.2  # kept after the last mid-stance
# The former calibration: windows of this length, whatever their parts say.
FORMER_WINDOW_S = 1.0


def formerly_calibrated(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """Return acc_mps2 and gyr_radps with the former calibration, in the sensor's axes.

    A plain copy of the rule: the weighted mean over all windows of one second in which the foot hardly moves,
    including those that end just before a step; without such a window, the bias from the strides.
    """
    acc, gyr, rate_hz = recording.acc_mps2, recording.gyr_radps, recording.rate_hz
    window = round(FORMER_WINDOW_S * rate_hz)
    (gyr_mean, gyr_spread), (acc_mean, acc_spread) = (_mean_and_spread(each, window) for each in (gyr, acc))
    standing = (gyr_spread < calibration.STANDING_GYR_RADPS) & (acc_spread < calibration.STANDING_ACC_MPS2)
    standing &= (np.abs(gyr_mean) < calibration.MAX_BIAS_RADPS).all(axis=1)
    standing &= moving_mean(recording.lost.astype(float), window) <= calibration.MAX_LOST_SHARE
    if standing.any():
        weight = 1 / (gyr_spread[standing] ** 2 + 1e-6)
        bias = np.average(gyr_mean[standing], axis=0, weights=weight)
        force = np.average(acc_mean[standing], axis=0, weights=weight)
    else:
        bias = calibration._bias_from_strides(acc, gyr, rate_hz, np.inf)[0]
        force = movement(acc, gyr, rate_hz)[2]
    excess = np.linalg.norm(force) - strapdown.GRAVITY_MPS2
    return acc - excess * force / np.linalg.norm(force), gyr - bias


def _mean_and_spread(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    mean = moving_mean(values, window)
    return mean, np.sqrt(np.maximum(moving_mean(values**2, window) - mean**2, 0).sum(axis=1))


def with_former_calibration(recording: Recording, signals: StrideSignals) -> StrideSignals:
    """Return the samples of a recording's strides as the former calibration gives them.

    Both calibrations subtract constants; their difference is added in the axes of the foot.
    """
    now = calibration.calibrate(recording.acc_mps2, recording.gyr_radps, recording.rate_hz, recording.lost)
    mid_stances = find_strides(now.acc_mps2, now.gyr_radps, recording.rate_hz)
    rotation = find_foot_frame(now.acc_mps2, now.gyr_radps, recording.rate_hz, mid_stances)
    former = formerly_calibrated(recording)
    change = [then[:1] - today[:1] for then, today in zip(former, now, strict=False)]
    acc, gyr = to_foot_frame(rotation, recording.foot, *change)
    return replace(signals, acc_mps2=signals.acc_mps2 + acc, gyr_radps=signals.gyr_radps + gyr)


def cut(recording: Recording, first: int, last: int) -> Recording:
    """Return the samples from `first` to `last` of a recording, with its reference on the new clock."""
    shift_s = first / recording.rate_hz
    times = ["time_s"] if is_trajectory(recording.reference) else ["start_s", "end_s"]
    reference = recording.reference.assign(**{name: recording.reference[name] - shift_s for name in times})
    walk = recording.walking_s and tuple(end_s - shift_s for end_s in recording.walking_s)
    gaps = np.clip(recording.gaps - first, 0, last - first)
    return replace(
        recording,
        acc_mps2=recording.acc_mps2[first:last],
        gyr_radps=recording.gyr_radps[first:last],
        reference=reference,
        walking_s=walk,
        turns_s=recording.turns_s - shift_s,
        gaps=gaps[gaps[:, 1] > gaps[:, 0]],
    )


def with_short_start(recording: Recording, standing_s: float) -> Recording:
    """Return the recording from `standing_s` before its first step to its last mid-stance.

    The step begins when the angular rate exceeds MAX_STANDING_RADPS and stays above it until the swing.
    """
    rate_hz = recording.rate_hz
    now = calibration.calibrate(recording.acc_mps2, recording.gyr_radps, rate_hz, recording.lost)
    mid_stances = find_strides(now.acc_mps2, now.gyr_radps, rate_hz)
    rate = np.linalg.norm(now.gyr_radps, axis=1)
    start, end = np.rint(mid_stances[0]).astype(int)
    swing = start + int(rate[start:end].argmax())
    still = np.flatnonzero(rate[:swing] < calibration.MAX_STANDING_RADPS)
    first = max(0, (still[-1] if len(still) else start) - round(standing_s * rate_hz))
    last = min(len(rate), round(mid_stances[-1, 1] + AFTER_LAST_S * rate_hz))
    return cut(recording, first, last)


def slow_walkers() -> Iterator[Recording]:
    """Yield people at each of SIMULATED_MPS, who stand for one of STANDING_S before the first step."""
    for person in range(SIMULATED_PEOPLE):
        rng = np.random.default_rng([7, person])
        subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
        for speed_mps in SIMULATED_MPS:
            yield simulate_walk_with_truth(
                subject,
                speed_mps=speed_mps,
                n_strides=SIMULATED_STRIDES,
                seed=person,
                sensor=sensor,
                standing_s=(STANDING_S[person % len(STANDING_S)], AFTER_LAST_S),
                trial=f"{person} {speed_mps}",
            )[0]


def lengths(recording: Recording, network: Network) -> pd.DataFrame:
    """Return the measured strides of a recording, with the length of each of STEPS; empty without strides."""
    try:
        found = extract_strides(recording)
    except DataError:  # no stride found
        return pd.DataFrame()
    rows = found.table[found.table["usable"].astype(bool)]
    signals = found.signals.select(rows["stride_id"])
    former = with_former_calibration(recording, signals)
    as_it_was_cm = strapdown.integrate(*strapdown.resample(former)).length_cm
    samples = strapdown.resample(signals)
    line = strapdown.integrate(*samples)
    levelled = strapdown.correct_tilt(line, *samples, rate_hz=recording.rate_hz)[0]
    length_cm = rows["strapdown_length_cm"].to_numpy()
    missed_cm = strapdown.missed_cm(strapdown.stance_motion(line, *samples))
    drift_cm = length_cm - np.minimum(length_cm / strapdown.MIN_MOTION_LENGTH_CM, 1) * missed_cm
    network_cm = network.lengths_cm(signals, length_cm)
    steps = [as_it_was_cm, line.length_cm, levelled.length_cm, drift_cm, length_cm, network_cm]
    return rows.assign(**dict(zip(STEPS, steps, strict=True)))


def statistics(table: pd.DataFrame, start: str, **bootstrap: int) -> Iterator[dict]:
    """Yield for each set and step its STATISTICS with intervals, and how well the SD predicts the error.

    coverage: share of the errors within the 95 % interval, with the known noise of the reference
    surest80_rmse_cm: RMSE of the 80 % of the strides with the smallest SD

    Lengths before the step "motion at mid-stance" have no SD: NaN.
    """
    for name, own in measured(table).groupby("dataset"):
        own = own.reset_index(drop=True)
        noise_cm = own["reference"].map(REFERENCE_SD_CM).fillna(0.0)
        sure = own["length_sd_cm"] <= own["length_sd_cm"].quantile(0.8)
        for step in STEPS:
            found = agreement(own, own[step], **bootstrap)
            error_cm = (own[step] - own["stride_length_cm"]).abs()
            row = {"start": start, "set": name, "step": step, "n_strides": len(own)}
            for each in STATISTICS:
                low, high = found[f"{each}_ci95"] or (np.nan, np.nan)
                row |= {each: found[each], f"{each}_low": low, f"{each}_high": high}
            covered = error_cm <= INTERVAL_SD * np.hypot(own["length_sd_cm"], noise_cm)
            certainty = covered.mean(), np.sqrt((error_cm[sure] ** 2).mean())
            has_sd = step in WITH_SD
            yield row | dict(zip(CERTAINTY, certainty if has_sd else (np.nan, np.nan), strict=True))


def main(parameters: dict) -> None:
    split = read_json(SPLIT)
    models = {
        subject: RESULTS / f"cross_validate/{part['fold']}/stride_int8.tflite"
        for part in split["folds"]
        for subject in part["test"]
    } | dict.fromkeys(split["final"]["test"], INT8_TFLITE)
    networks = {subject: Network.load(model) for subject, model in models.items()}
    starts: dict[str, list[pd.DataFrame]] = {"as recorded": [], "short start": []}
    for i, recording in enumerate(tqdm(list(load_recordings(RAW, SETS)), desc="recordings", unit="")):
        network = networks[f"{recording.dataset}/{recording.subject}"]
        starts["as recorded"].append(lengths(recording, network))
        short = with_short_start(recording, STANDING_S[i % len(STANDING_S)])
        starts["short start"].append(lengths(short, network))
    final = Network.load(INT8_TFLITE)  # it was not trained on simulated people
    starts["short start"] += [lengths(recording, final) for recording in slow_walkers()]
    bootstrap = {"seed": parameters["seed"], **parameters["evaluate"]}
    found = [
        row for start, tables in starts.items() for row in statistics(pd.concat(tables), start, **bootstrap)
    ]
    with atomic_folder(STUDIES / "integral_steps") as folder:
        write_table(found, folder / "integral_steps.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:integral-steps", main)
