"""Healthy subjects of the IPOL gait set: 10 m out, U-turn, 10 m back; Xsens MTw on both feet, 100 Hz.

Voisard et al., Image Processing On Line 2023, https://www.ipol.im/pub/art/2023/497/. Gait events were
checked by hand; stride lengths were not measured, so the reference rows have none.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import Recording, read_error, reference_table
from tinystride.datasets.samples import check_recording, fill_gaps, numbers, read_table

RATE_HZ = 100.0
FEET = {"left": ("lf", "LeftFootEvents"), "right": ("rf", "RightFootEvents")}
SAMPLE_COLUMNS = ["PacketCounter", "Acc_X", "Acc_Y", "Acc_Z", "Gyr_X", "Gyr_Y", "Gyr_Z"]
COLUMNS = [*SAMPLE_COLUMNS, "Mag_X", "Mag_Y", "Mag_Z"]
HEADER_LINES = 2
# By the data sheet of the Xsens MTw Awinda: ±160 m/s², ±2000 deg/s.
FULL_SCALE = (160.0, np.deg2rad(2000.0))
NO_LENGTH = "stride length was not measured"


def load(folder: Path, dataset: str = "ipol-healthy") -> Iterator[Recording]:
    """Load both feet of every `GaitData/{subject}-{trial}.json`, sorted by number of subject and trial.

    Args:
        folder: folder of the data set
        dataset: name for the recordings

    Yields:
        One recording per foot and trial.

    Raises:
        DataError: for a file that is missing or damaged
    """
    folder = Path(folder) / "GaitData"
    trials = {tuple(map(int, path.stem.split("-"))): path for path in folder.glob("*-*.json")}
    if not trials:
        raise read_error(folder, "contains no {subject}-{trial}.json", "give the folder with GaitData")
    for (subject, trial), path in sorted(trials.items()):
        events = _read_events(path)
        for foot, (suffix, key) in FEET.items():
            samples = path.with_name(f"{path.stem}_{suffix}.txt")
            yield _recording(samples, events, key, dataset, str(subject), str(trial), foot)


def foot_events_s(recording: Recording) -> np.ndarray:
    """Return the hand-checked foot events of a recording, [n, 2]: foot off and foot contact, s.

    Args:
        recording: recording of this data set; times count from its first sample
    """
    path = Path(recording.source)
    events = _read_events(path.with_name(f"{recording.subject}-{recording.trial}.json"))
    trial_start, trial_end = events["TrialBoundaries"]
    own = events[FEET[recording.foot][1]]
    walking_s = recording.walking_s or (0.0, recording.duration_s)
    first_counter = trial_start - walking_s[0] * recording.rate_hz
    return (own[own[:, 1] <= trial_end] - first_counter) / recording.rate_hz


def _read_events(path: Path) -> dict:
    try:
        events = json.loads(path.read_text())
        for key in ("TrialBoundaries", "UTurnBoundaries"):
            events[key] = np.array(events[key], dtype=float).reshape(2)
        for _, key in FEET.values():
            events[key] = np.array(events[key], dtype=float).reshape(-1, 2)
    except (ValueError, KeyError, TypeError) as error:
        raise read_error(
            path, f"is not a complete list of gait events ({error})", "download it again"
        ) from None
    return events


def _recording(
    path: Path, events: dict, key: str, dataset: str, subject: str, trial: str, foot: str
) -> Recording:
    first_counter, values, gaps = _read_samples(path)
    trial_start, trial_end = events["TrialBoundaries"]
    if trial_end - first_counter > len(values):
        raise read_error(
            path,
            f"ends at packet {first_counter + len(values):g}, its trial at {trial_end:g}",
            "download it again",
        )
    contact = events[key][:, 1]
    contact_s = (contact[contact <= trial_end] - first_counter) / RATE_HZ
    if len(contact_s) < 2:
        raise read_error(
            path, f"its json has {len(contact_s)} foot contacts within the trial", "it needs two"
        )
    return check_recording(
        Recording(
            dataset=dataset,
            subject=subject,
            trial=trial,
            foot=foot,
            rate_hz=RATE_HZ,
            acc_mps2=values[:, :3],
            gyr_radps=values[:, 3:],
            source=str(path),
            condition="overground",
            gaps=gaps,
            walking_s=((trial_start - first_counter) / RATE_HZ, (trial_end - first_counter) / RATE_HZ),
            turns_s=(events["UTurnBoundaries"][None] - first_counter) / RATE_HZ,
            reference=reference_table(contact_s[:-1], contact_s[1:], np.nan, "strapdown", NO_LENGTH),
            saturation=FULL_SCALE,
        )
    )


def _read_samples(path: Path) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the first packet's counter, samples [n, 6] on the full grid of packet counters, and gaps."""
    table = read_table(path, "\t", names_line=HEADER_LINES, first_line=HEADER_LINES + 1)
    if list(table.columns) != COLUMNS:
        raise read_error(path, f"its columns are not {', '.join(COLUMNS)}", "download it again")
    # Trial 11-1 counts one packet twice, while standing, on both feet; the later counter is right.
    repeated = table["PacketCounter"].duplicated(keep="last")
    if repeated.sum() <= 1:
        table = table[~repeated]
    values = numbers(path, table, COLUMNS, first_line=HEADER_LINES + 1)[:, : len(SAMPLE_COLUMNS)]
    counter = values[:, 0].astype(np.int64)
    samples, gaps = fill_gaps(path, counter, values[:, 1:], first_line=HEADER_LINES + 1)
    return float(counter[0]), samples, gaps
