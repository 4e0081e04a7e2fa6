"""The loaders: contents read, and damage refused on built and on recorded files."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import scipy.io

from tinystride.datasets import gaitmap_mocap, ipol, llio, tripod, vicon
from tinystride.errors import DataError


def refusal(load, folder) -> str:
    """Return the message of the DataError of loading: one line that ends with a remedy."""
    with pytest.raises(DataError) as caught:
        list(load(folder))
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message and re.search(r": .+; .+", message)
    return message


def edit(path, change) -> None:
    path.write_text(change(path.read_text()))


def edit_rows(path, change, first: int, sep: str) -> None:
    """Apply `change` to the cells, from line `first` on, as an array of strings [rows, columns]."""
    lines = path.read_text().splitlines()
    cells = np.array([line.split(sep) for line in lines[first - 1 :]], dtype=object)
    rows = [sep.join(row) for row in change(cells)]
    path.write_text("\n".join(lines[: first - 1] + rows) + "\n")


def scaled(columns: slice, factor: float):
    def change(cells):
        cells[:, columns] = (cells[:, columns].astype(float) * factor).astype(str)
        return cells

    return change


def with_cell(row: int, column: int, value: str):
    def change(cells):
        cells[row, column] = value
        return cells

    return change


def with_column(column: int, value: str):
    def change(cells):
        cells[:, column] = value
        return cells

    return change


def test_tripod_reads_both_feet_of_all_runs_on_one_clock(tripod_folder):
    recordings = list(tripod.load(tripod_folder))
    assert [(r.trial, r.foot) for r in recordings] == [
        (run, foot) for run in ("PWS-20", "PWS", "PWS+20") for foot in ("left", "right")
    ]
    sync = pd.read_csv(tripod_folder / "SyncInfo.csv").set_index("run").ic_time
    for recording in recordings:
        first_contact_s = sync[recording.trial] - 0.00781  # the stamp of the first sample
        assert recording.rate_hz == 128
        assert recording.walking_s == pytest.approx((first_contact_s, first_contact_s + 120), abs=1e-5)
        assert 9.5 < np.linalg.norm(recording.acc_mps2[:100], axis=1).mean() < 10.1
        assert recording.reference.stride_length_cm.between(50, 200).all()
        assert (recording.reference.reference == "optogait").all()
        if recording.foot == "right":
            assert recording.reference.start_s.iloc[0] == pytest.approx(first_contact_s, abs=1e-5)


def test_tripod_lengths_that_contradict_the_belt_speed_are_dropped_with_a_note(tripod_folder):
    path = next(tripod_folder.glob("Sub_*")) / "PWS" / "OptoGait" / "optogait.csv"
    table = pd.read_csv(path)
    table.loc[table["StrideTime\\Cycle"].notna().idxmax(), "Stride"] = 1850
    table.to_csv(path, index=False)
    before, after = tripod.load(tripod_folder), tripod.load(tripod_folder)
    del before
    run = [r.reference for r in after if r.trial == "PWS"]
    bogus = pd.concat(run)[lambda rows: rows.stride_length_cm.isna()]
    assert len(bogus) == 1 and "belt" in bogus.note.iloc[0]


IMU_DAMAGES = {
    "units_acc": (scaled(slice(4, 7), 9.80665), r"as if its unit were m/s².*state that its unit is m/s²"),
    "units_mg": (scaled(slice(4, 7), 1 / 9.80665), r"\|acc\| at rest is 1 m/s²|at rest is 0\.9"),
    "units_gyr": (scaled(slice(1, 4), np.pi / 180), r"gyroscope reaches only .* rad/s"),
    "units_gyr_up": (scaled(slice(1, 4), 180 / np.pi), r"as if its unit were deg/s"),
    "nan": (with_cell(40, 2, "nan"), r"line 48: Gyro Y is missing or not a finite number"),
    "empty_cell": (with_cell(40, 4, ""), r"line 48: Accel X"),
    "text": (with_cell(40, 6, "0,5".replace(",", ";")), r"line 48: Accel Z"),
    "infinite": (with_cell(41, 5, "inf"), r"line 49: Accel Y"),
    "constant_acc": (with_column(4, "0.5"), r"acc_x is 4\.90\d* from first to last"),
    "constant_gyr": (with_column(3, "0"), r"gyr_z is 0 from first to last"),
    "repeated_time": (lambda cells: with_cell(10, 0, cells[9, 0])(cells), r"line 18: time does not increase"),
    "backward_time": (with_cell(10, 0, "0.001"), r"line 18: time does not increase"),
    "uneven_time": (with_cell(10, 0, "0.09"), r"line 18: time is uneven"),
    "other_rate": (lambda cells: scaled(slice(0, 1), 0.5)(cells), r"time stamps say 256.* Hz, not 128 Hz"),
    "swapped": (lambda cells: cells[::-1], r"time does not increase"),
    "lost_row": (lambda cells: cells[:-1], r"announces \d+ samples and contains \d+"),
}


@pytest.mark.parametrize("damage", IMU_DAMAGES)
def test_tripod_refuses_damaged_samples(tripod_folder, damage):
    change, rule = IMU_DAMAGES[damage]
    path = next(tripod_folder.glob("Sub_*")) / "PWS-20" / "IMU" / "LF.csv"
    edit_rows(path, change, first=8, sep=",")
    message = refusal(tripod.load, tripod_folder)
    assert re.search(rule, message) and "PWS-20/IMU/LF.csv" in message


@pytest.mark.parametrize(
    ("file", "change", "rule"),
    [
        ("IMU/RF.csv", lambda text: text[: len(text) // 2], r"line \d+ has \d+ columns|announces"),
        ("IMU/RF.csv", lambda text: text[:200], r"has \d+ lines and no rows|line \d"),
        ("IMU/RF.csv", lambda text: "", r"has 0 lines"),
        ("IMU/RF.csv", lambda text: "\x00\x01" * 500, r"has 1 lines"),
        ("IMU/RF.csv", lambda text: text.replace("[deg/s]", "[rad/s]"), r"in s, deg/s and g"),
        ("IMU/RF.csv", lambda text: text.replace("\n0.0", "\n1,0.0", 1), r"line 8 has \d+ columns, not \d+"),
        ("OptoGait/optogait.csv", lambda text: text.replace(",R,", ",L,"), r"no row of a right foot"),
        ("OptoGait/optogait.csv", lambda text: text.replace("Split", "Time"), r"lacks the column 'Split'"),
        ("OptoGait/optogait.csv", lambda text: text[: text.rindex(",")], r"columns, not \d+"),
        ("OptoGait/optogait.csv", lambda text: text.splitlines()[0] + "\n", r"and no rows"),
        ("../../SyncInfo.csv", lambda text: re.sub(r".*,PWS,.*\n", "", text), r"0 rows for Sub_.., run PWS;"),
        ("../../SyncInfo.csv", lambda text: text + text.splitlines()[1] + "\n", r"2 rows for Sub_"),
        ("../../SyncInfo.csv", lambda text: re.sub(r"(PWS-20,).*", r"\1soon", text), r"line 4: ic_time"),
        (
            "../../SyncInfo.csv",
            lambda text: re.sub(r"(PWS-20,).*", r"\g<1>900", text),
            r"no left stride in its",
        ),
        ("../../MetaInfo.csv", lambda text: text.replace(";", ","), r"columns, not|lacks the column"),
        ("../../MetaInfo.csv", lambda text: re.sub(r"km/h", "m/s", text), r"lacks the column 'PWS-20"),
    ],
)
def test_tripod_refuses_damaged_files(tripod_folder, file, change, rule):
    path = next(tripod_folder.glob("Sub_*")) / "PWS-20" / file
    edit(path.resolve(), change)
    message = refusal(tripod.load, tripod_folder)
    assert re.search(rule, message) and path.name in message


def test_tripod_refuses_a_missing_file(tripod_folder):
    path = next(tripod_folder.glob("Sub_*")) / "PWS" / "IMU" / "RF.csv"
    path.unlink()
    assert f"{path}: is missing" in refusal(tripod.load, tripod_folder)
    assert f"{path}: is missing" in refusal(tripod.files, tripod_folder)


def test_tripod_refuses_a_folder_without_subjects(tmp_path):
    assert "SyncInfo.csv: is missing" in refusal(tripod.load, tmp_path)
    assert "no Sub_* folder" in refusal(tripod.files, tmp_path)


@pytest.mark.parametrize("factor", [0.01, 10])
def test_tripod_refuses_lengths_in_another_unit(tripod_folder, factor):
    path = next(tripod_folder.glob("Sub_*")) / "PWS-20" / "OptoGait" / "optogait.csv"
    table = pd.read_csv(path).assign(Stride=lambda rows: rows.Stride * factor)
    table.to_csv(path, index=False)
    assert re.search(r"km/h on a belt of 3\.00 km/h", refusal(tripod.load, tripod_folder))


def test_tripod_refuses_another_run_s_reference(tripod_folder):
    slow, fast = (
        next(tripod_folder.glob("Sub_*")) / run / "OptoGait" / "optogait.csv" for run in ("PWS-20", "PWS+20")
    )
    slow.write_text(fast.read_text())
    assert re.search(r"make 4\.\d+ km/h on a belt of 3\.00 km/h", refusal(tripod.load, tripod_folder))


def test_ipol_reads_contacts_turn_and_trial_on_the_packet_clock(ipol_folder):
    events = json.loads((ipol_folder / "GaitData" / "1-1.json").read_text())
    for recording, key in zip(ipol.load(ipol_folder), ("LeftFootEvents", "RightFootEvents"), strict=True):
        contacts = [contact / 100 for _, contact in events[key] if contact <= events["TrialBoundaries"][1]]
        assert list(recording.reference.start_s) == contacts[:-1]
        assert list(recording.reference.end_s) == contacts[1:]
        assert recording.reference.stride_length_cm.isna().all()
        assert (recording.reference.reference == "strapdown").all()
        assert recording.turns_s.tolist() == [[bound / 100 for bound in events["UTurnBoundaries"]]]
        assert recording.walking_s == tuple(bound / 100 for bound in events["TrialBoundaries"])


def test_ipol_lost_packets_are_filled_and_listed(ipol_folder):
    whole = next(ipol.load(ipol_folder))
    path = ipol_folder / "GaitData" / "1-1_lf.txt"
    edit_rows(path, lambda cells: np.delete(cells, [0, 300, 301, 302, 303, 500], axis=0), first=3, sep="\t")
    holed = next(ipol.load(ipol_folder))
    assert holed.n_samples == whole.n_samples - 1
    assert holed.gaps[holed.gaps[:, 0] < 600].tolist() == [[299, 303], [499, 500]]
    kept = np.setdiff1d(np.arange(holed.n_samples), [299, 300, 301, 302, 499])
    np.testing.assert_array_equal(holed.acc_mps2[kept], whole.acc_mps2[1:][kept])
    np.testing.assert_allclose(holed.gyr_radps[499], (whole.gyr_radps[499] + whole.gyr_radps[501]) / 2)
    np.testing.assert_allclose(holed.reference.start_s, whole.reference.start_s - 0.01)
    np.testing.assert_allclose(holed.turns_s, whole.turns_s - 0.01)


def test_ipol_takes_a_packet_counter_that_repeats_once(ipol_folder):
    path = ipol_folder / "GaitData" / "1-1_lf.txt"
    whole = next(ipol.load(ipol_folder))
    edit_rows(path, lambda cells: np.insert(cells, 30, cells[30], axis=0), first=3, sep="\t")
    np.testing.assert_array_equal(next(ipol.load(ipol_folder)).acc_mps2, whole.acc_mps2)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (scaled(slice(1, 4), 1 / 9.80665), r"as if its unit were g; state that its unit is g"),
        (scaled(slice(1, 4), 1000 / 9.80665), r"as if its unit were mg"),
        (scaled(slice(1, 4), 0.5), r"\|acc\| at rest is [45]\.\d+ m/s², not about 9\.81; check"),
        (scaled(slice(4, 7), 180 / np.pi), r"as if its unit were deg/s; state that its unit is deg/s"),
        (with_cell(40, 2, "nan"), r"line 43: Acc_Y"),
        (with_cell(40, 2, "-inf"), r"line 43: Acc_Y"),
        (with_column(6, "0.1"), r"gyr_z is 0\.1 from first to last"),
        (with_cell(40, 0, "12.0"), r"time does not increase"),
        (with_cell(-1, 0, "99999999.0"), r"samples are missing; split it"),
        (lambda cells: cells[:500], r"ends at packet 500, its trial at \d+"),
        (lambda cells: cells[:, :9], r"line 3 has 9 columns, not 10"),
    ],
)
def test_ipol_refuses_damaged_samples(ipol_folder, change, rule):
    edit_rows(ipol_folder / "GaitData" / "1-1_lf.txt", change, first=3, sep="\t")
    message = refusal(ipol.load, ipol_folder)
    assert re.search(rule, message) and "1-1_lf.txt" in message


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text[: len(text) // 2], "not a complete list of gait events"),
        (lambda text: text.replace("UTurn", "Turn"), "UTurnBoundaries"),
        (
            lambda text: re.sub(r'"LeftFootEvents": \[\[.*?\]\]', '"LeftFootEvents": []', text),
            "0 foot contacts",
        ),
        (
            lambda text: re.sub(r'"TrialBoundaries": \[', '"TrialBoundaries": [1, ', text),
            "not a complete list",
        ),
    ],
)
def test_ipol_refuses_damaged_events(ipol_folder, change, rule):
    edit(ipol_folder / "GaitData" / "1-1.json", change)
    assert rule in refusal(ipol.load, ipol_folder)


def test_ipol_refuses_a_missing_file(ipol_folder):
    (ipol_folder / "GaitData" / "1-1_rf.txt").unlink()
    assert "1-1_rf.txt: is missing" in refusal(ipol.load, ipol_folder)


def test_llio_reads_ruler_lengths_between_stances(llio_folder):
    (recording,) = llio.load(llio_folder)
    content = scipy.io.loadmat(next(llio_folder.rglob("*.mat")))
    reference = recording.reference
    assert recording.reference_event == "mid_stance" and recording.rate_hz == 200
    np.testing.assert_allclose(reference.start_s * 200, content["strideIndex"].ravel()[:-1])
    np.testing.assert_allclose(
        reference.stride_length_cm, 100 * np.linalg.norm(np.diff(content["GCP"], axis=0), axis=1)
    )
    np.testing.assert_array_equal(recording.gyr_radps, content["imu_data"][:, 3:])


def test_llio_trial_with_the_sensor_on_the_left_foot_is_marked_left(llio_folder):
    path = next(llio_folder.rglob("*.mat"))
    path.rename(path.with_name("SensorConnectData_76_GDLBIO.mat"))
    assert next(llio.load(llio_folder, "llio-ruler-2")).foot == "left"
    assert next(llio.load(llio_folder, "llio-ruler")).foot == "right"


def llio_with(**changes):
    def damage(path):
        content = {k: v for k, v in scipy.io.loadmat(path).items() if not k.startswith("__")}
        for name, change in changes.items():
            content[name] = change(content[name])
        scipy.io.savemat(path, content)

    return damage


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), r"not a complete \.mat file"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), r"not a complete \.mat file"),
        (lambda path: path.write_bytes(b""), r"not a complete \.mat file"),
        (lambda path: scipy.io.savemat(path, {"imu_data": np.zeros((3, 6))}), r"not a complete .*GCP"),
        (llio_with(imu_data=lambda d: d / [*[9.80665] * 3, 1, 1, 1]), r"as if its unit were g"),
        (llio_with(imu_data=lambda d: d * [1, 1, 1, *[180 / np.pi] * 3]), r"as if its unit were deg/s"),
        (
            llio_with(imu_data=lambda d: np.where(np.arange(len(d))[:, None] == 70, np.nan, d)),
            r"sample 70: acc_x",
        ),
        (llio_with(imu_data=lambda d: d * [1, 1, 1, 1, 0, 1]), r"gyr_y is 0 from first to last"),
        (llio_with(imu_data=lambda d: d[:, :5]), r"do not fit together"),
        (llio_with(GCP=lambda d: d[:-1]), r"do not fit together"),
        (llio_with(GCP=lambda d: d * np.nan), r"footprint is not a finite number"),
        (llio_with(GCP=lambda d: d * 100), r"reference stride 0 is .* cm long; lengths have to be in cm"),
        (llio_with(strideIndex=lambda d: d + 10**6), r"reference stride 0 is from .* in a recording of"),
        (llio_with(strideIndex=lambda d: d[:, ::-1]), r"reference stride 0 is from"),
        (llio_with(timestamps=lambda d: d * 2), r"its time stamps say 100 Hz, not 200 Hz"),
    ],
)
def test_llio_refuses_damaged_files(llio_folder, damage, rule):
    damage(next(llio_folder.rglob("*.mat")))
    message = refusal(llio.load, llio_folder)
    assert re.search(rule, message) and "SensorConnectData_31_LLIO.mat" in message


def test_vicon_reads_one_position_for_each_sample(vicon_folder):
    (recording,) = vicon.load(vicon_folder)
    content = scipy.io.loadmat(next(vicon_folder.rglob("*.mat")))
    assert (recording.subject, recording.trial) == ("2017-11-22", "2017-11-22-11-22-03")
    assert len(recording.reference) == recording.n_samples == len(content["gt"])
    np.testing.assert_array_equal(recording.reference[["x_m", "y_m", "z_m"]], content["gt"])
    assert recording.reference["time_s"].iloc[-1] == pytest.approx((recording.n_samples - 1) / 200)
    np.testing.assert_array_equal(recording.gyr_radps, content["imu"][:, 3:])


def vicon_with(**changes):
    def damage(path):
        content = {name: scipy.io.loadmat(path)[name] for name in ("imu", "gt", "ts")}
        scipy.io.savemat(path, content | {name: change(content[name]) for name, change in changes.items()})

    return damage


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), r"is not a complete \.mat file"),
        (vicon_with(gt=lambda d: d[:-1]), r"do not fit together"),
        (vicon_with(gt=lambda d: d * np.nan), r"contains no finite position"),
        (vicon_with(gt=lambda d: d * 1000), r"moves at .* m/s; positions have to be in m"),
        (vicon_with(ts=lambda d: d * 2), r"its time stamps say 100 Hz, not 200 Hz"),
        (vicon_with(imu=lambda d: d * [1, 1, 1, *[180 / np.pi] * 3]), r"as if its unit were deg/s"),
    ],
)
def test_vicon_refuses_damaged_files(vicon_folder, damage, rule):
    damage(next(vicon_folder.rglob("*.mat")))
    assert re.search(rule, refusal(vicon.load, vicon_folder))


def test_gaitmap_reads_each_foot_with_the_path_of_its_sensor(gaitmap_folder):
    recordings = list(gaitmap_mocap.load(gaitmap_folder))
    assert [(each.foot, each.rate_hz) for each in recordings] == [("left", 204.8), ("right", 204.8)]
    markers = pd.read_csv(gaitmap_folder / "example_data" / "mocap_sample.csv", header=[0, 1])
    for recording, side in zip(recordings, "LR", strict=True):
        path_m = recording.reference[["x_m", "y_m", "z_m"]].to_numpy()
        for name in ("FCC", "TOE"):  # as far from both at every instant as from a rigid foot's
            marker_m = markers[f"{side}_{name}"][list("xyz")].to_numpy() / 1000
            apart_m = np.linalg.norm(path_m - marker_m, axis=1)
            assert 0.05 < apart_m.mean() < 0.25 and apart_m.std() < 0.005
        assert recording.reference["time_s"].iloc[100] == 1.0


def test_foot_poses_of_a_turned_foot_turn_its_axes():
    heel_m, along, across = (
        np.zeros((2, 3)),
        np.array([[0.25, 0, 0], [0, 0.25, 0]]),
        np.array([[0.19, 0.06, 0], [-0.06, 0.19, 0]]),
    )
    _, rotation = gaitmap_mocap.foot_poses(heel_m, along, across)
    np.testing.assert_allclose(rotation[0], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(rotation[1], [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


@pytest.mark.parametrize(
    ("file", "change", "rule"),
    [
        ("imu_sample.csv", lambda text: text[:100], r"two header rows|lacks columns|not a number"),
        (
            "imu_sample.csv",
            lambda text: text.replace("right_sensor", "third"),
            r"lacks columns of right_sensor",
        ),
        ("mocap_sample.csv", lambda text: text.replace("R_FCC", "R_HEEL"), r"lacks columns of R_FCC"),
        ("mocap_sample.csv", lambda text: text.replace(",4", ",four", 40000), r"is not a number"),
    ],
)
def test_gaitmap_refuses_damaged_files(gaitmap_folder, file, change, rule):
    edit(gaitmap_folder / "example_data" / file, change)
    assert re.search(rule, refusal(gaitmap_mocap.load, gaitmap_folder))


@pytest.mark.parametrize("load", [gaitmap_mocap.load, ipol.load, llio.load, vicon.load])
def test_load_of_an_empty_folder_is_refused(load, tmp_path):
    assert "contains no" in refusal(load, tmp_path)
