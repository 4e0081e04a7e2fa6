"""Files in the formats of sensor makers, read without options."""

import json
import struct
from datetime import UTC, datetime

import numpy as np
import pytest

from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2
from tinystride.errors import DataError
from tinystride.reading import ReadingOptions, read_recordings

START_S = 1_709_287_200.0  # 2024-03-01T10:00:00Z


@pytest.fixture(scope="session")
def walk(simulated):
    """(acc in m/s², gyr in rad/s), [n, 3], of the right foot with a sensor's noise."""
    right = simulated["right"]
    rng = np.random.default_rng(5)
    noise = rng.normal(0, [0.02] * 3 + [0.002] * 3, (right.n_samples, 6))
    return right.acc_mps2 + noise[:, :3], right.gyr_radps + noise[:, 3:]


def rows(*columns, form="%.6f", sep=","):
    return [sep.join(form % value for value in row) for row in np.column_stack(columns)]


def read_one(*paths):
    (recording,) = read_recordings(paths, ReadingOptions())
    return recording


def assert_walk(recording, walk, rate_hz=100.0, foot="right", atol=0.01):
    acc, gyr = walk
    assert recording.foot == foot and recording.rate_hz == pytest.approx(rate_hz, rel=1e-4)
    assert recording.n_samples == len(acc) and len(recording.gaps) == 0
    np.testing.assert_allclose(recording.acc_mps2, acc, atol=atol)
    np.testing.assert_allclose(recording.gyr_radps, gyr, atol=atol)


def test_physilog_csv_is_read(walk, tmp_path):
    acc, gyr = walk
    time_s = (np.arange(len(acc)) + 1) / 100
    header = (
        f"Gait Up - Physilog data export\nCreated on: YYYY-MM-DD hh:mm:ss\nTotal data points: {len(acc)}\n\n"
        "Time [100 hz],Gyro [100 hz],,,Accel [100 hz],,,Baro [1 hz],,Event [100 hz],\n"
        "Time,Gyro X,Gyro Y,Gyro Z,Accel X,Accel Y,Accel Z,Pressure,Temperature,\n"
        "[s],[deg/s],[deg/s],[deg/s],[g],[g],[g],[mBar],[degree C],\n"
    )
    body = [row + ",,," for row in rows(time_s, np.rad2deg(gyr), acc / STANDARD_GRAVITY_MPS2, form="%.5f")]
    path = tmp_path / "RF.csv"
    path.write_text(header + "\n".join(body) + "\n")
    assert_walk(read_one(path), walk)


def test_xsens_dot_csv_is_read(walk, tmp_path):
    acc, gyr = walk
    # A clock of 32 bits in µs, which wraps around during the walk.
    stamps = (4_290_000_000 + 10_000 * np.arange(len(acc))) % 2**32
    header = (
        "sep=,\nDeviceTag:,Right foot\nFirmwareVersion:,2.2.0\nAppVersion:,2023.6.0\nSyncStatus:,Synced\n"
        "OutputRate:,100Hz\nFilterProfile:,General\nMeasurementMode:,Custom Mode 5\n"
        "StartTime:,2024-03-01_10-00-00_000\n\nPacketCounter,SampleTimeFine,FreeAcc_X,FreeAcc_Y,FreeAcc_Z,"
        "Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z,Status\n"
    )
    free = acc - [0, 0, STANDARD_GRAVITY_MPS2]
    counters = [f"{i + 1},{stamp:d}" for i, stamp in enumerate(stamps)]
    body = [f"{c},{row},0" for c, row in zip(counters, rows(free, acc, np.rad2deg(gyr)), strict=True)]
    path = tmp_path / "Right foot_D422CD0012AB_20240301.csv"
    path.write_text(header + "\n".join(body) + "\n")
    assert_walk(read_one(path), walk)


def test_xsens_mtw_txt_with_lost_packets_is_read(walk, tmp_path):
    acc, gyr = walk
    counter = (65_000 + np.arange(len(acc))) % 65_536
    header = (
        "// Start Time: Unknown\n// Update Rate: 100.0Hz\n// Filter Profile: human (46.1)\n"
        "// Option Flags: AHS Disabled ICC Disabled\n// Firmware Version: 4.0.2\n"
        "PacketCounter\tSampleTimeFine\tAcc_X\tAcc_Y\tAcc_Z\tGyr_X\tGyr_Y\tGyr_Z\tMat[1][1]\n"
    )
    body = [f"{c}\t\t{row}\t0.5" for c, row in zip(counter, rows(acc, gyr, sep="\t"), strict=True)]
    path = tmp_path / "MT_012005D6-000_00B42276_right.txt"
    path.write_text(header + "\n".join(body[:400] + body[405:]) + "\n")
    recording = read_one(path)
    assert recording.n_samples == len(acc) and recording.gaps.tolist() == [[400, 405]]
    np.testing.assert_allclose(recording.gyr_radps[405:], gyr[405:], atol=1e-5)
    path.write_text(header.replace("100.0Hz", "none") + "\n".join(body) + "\n")
    with pytest.raises(DataError, match="give it with --rate-hz"):
        read_one(path)


@pytest.mark.parametrize("sep", [",", "\t"])
def test_shimmer_csv_is_read_by_its_wide_range_accelerometer(walk, tmp_path, sep):
    acc, gyr = walk
    stamps_ms = 1000 * (START_S + np.arange(len(acc)) / 102.4)
    kinds = [f"{kind}_{axis}_CAL" for kind in ("Accel_LN", "Accel_WR", "Gyro") for axis in "XYZ"]
    names = sep.join(f"Shimmer_40AC_{name}" for name in ("Timestamp_Unix_CAL", *kinds))
    units = sep.join(["ms"] + ["m/(s^2)"] * 6 + ["deg/s"] * 3)
    body = [row + sep for row in rows(stamps_ms, np.clip(acc, -19, 19), acc, np.rad2deg(gyr), sep=sep)]
    path = tmp_path / "left" / "Session1_Shimmer_40AC_Calibrated_SD.csv"
    path.parent.mkdir()
    path.write_text(f'"sep={sep}"\n{names}{sep}\n{units}{sep}\n' + "\n".join(body) + "\n")
    recording = read_one(path)
    assert_walk(recording, walk, rate_hz=102.4, foot="left")
    assert recording.clock == "utc" and recording.clock_start_s == pytest.approx(START_S, abs=1e-3)


def write_metamotion(folder, walk):
    """Write two files; the gyroscope starts 30 ms later and has its own sampling times."""
    acc, gyr = walk
    later = np.arange(len(acc)) + 3.4
    shifted = np.column_stack([np.interp(later, np.arange(len(gyr)), channel) for channel in gyr.T])
    paths = []
    for name, unit, start, samples in (
        ("Accelerometer", "g", 0.0, acc / STANDARD_GRAVITY_MPS2),
        ("Gyroscope", "deg/s", 0.034, np.rad2deg(shifted)),
    ):
        time_s = np.arange(len(samples)) / 100
        epoch_ms = np.round(1000 * (START_S + start + time_s))
        dates = [
            datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H.%M.%S.%f")[:-3] for ms in epoch_ms
        ]
        body = [
            f"{ms:.0f},{date},{row}"
            for ms, date, row in zip(epoch_ms, dates, rows(time_s, samples, form="%.3f"), strict=True)
        ]
        axes = ",".join(f"{axis}-axis ({unit})" for axis in "xyz")
        path = folder / f"MetaWear_right_2024-03-01T10.00.00.000_C8D6_{name}_100.000Hz_1.4.4.csv"
        path.write_text(f"epoc (ms),timestamp (+0000),elapsed (s),{axes}\n" + "\n".join(body) + "\n")
        paths.append(path)
    return paths


def test_metamotion_files_are_joined_by_time(walk, tmp_path):
    paths = write_metamotion(tmp_path, walk)
    recording = read_one(*paths)
    acc, gyr = walk
    at = recording.clock_start_s - START_S + np.arange(recording.n_samples) / 100
    for own, samples in ((recording.acc_mps2, acc), (recording.gyr_radps, gyr)):
        true = np.column_stack([np.interp(100 * at, np.arange(len(acc)), c) for c in samples.T])
        assert np.sqrt(((own - true)[:-5] ** 2).mean()) < 0.02 * samples.std()
    with pytest.raises(DataError, match="lacks the columns of a gyroscope"):
        read_one(paths[0])


def test_x_io_csv_is_read(walk, tmp_path):
    acc = walk[0]
    stamps_us = 1_234_567 + 2500 * np.arange(4 * len(acc))
    fast = [
        np.column_stack([np.interp(np.arange(4 * len(v)) / 4, np.arange(len(v)), c) for c in v.T])
        for v in walk
    ]
    names = [
        f"{kind} {axis} ({unit})"
        for kind, unit in (("Gyroscope", "deg/s"), ("Accelerometer", "g"))
        for axis in "XYZ"
    ]
    body = [
        f"{us},{row}"
        for us, row in zip(stamps_us, rows(np.rad2deg(fast[1]), fast[0] / STANDARD_GRAVITY_MPS2), strict=True)
    ]
    path = tmp_path / "x-IMU3 right" / "Inertial.csv"
    path.parent.mkdir()
    path.write_text(",".join(["Timestamp (us)", *names]) + "\n" + "\n".join(body) + "\n")
    recording = read_one(path)
    assert recording.rate_hz == 400 and recording.foot == "right"
    np.testing.assert_allclose(recording.acc_mps2[::4], acc, atol=0.001)


def test_blue_trident_csv_is_read(walk, tmp_path):
    acc, gyr = walk
    time_s = np.arange(len(acc)) / 100
    stamps_us = np.round(1e6 * (START_S + time_s))
    names = "unix_timestamp_microsec,time_s,ax_m/s/s,ay_m/s/s,az_m/s/s,gx_deg/s,gy_deg/s,gz_deg/s"
    path = tmp_path / "TS-02134_2024-03-01-10-00-00_lowg_right.csv"
    body = [f"{us:.0f},{row}" for us, row in zip(stamps_us, rows(time_s, acc, np.rad2deg(gyr)), strict=True)]
    path.write_text(names + "\n" + "\n".join(body) + "\n")
    assert_walk(read_one(path), walk)


def test_apdm_hdf5_is_read(simulated, walk, tmp_path):
    h5py = pytest.importorskip("h5py")
    acc, gyr = walk
    path = tmp_path / "20240301-100000_Walk.h5"
    with h5py.File(path, "w") as file:
        for number, label in ((3142, "Right Foot"), (3143, "Lumbar"), (3144, "Left Foot")):
            group = file.create_group(f"Sensors/{number}")
            group["Accelerometer"] = acc if label != "Lumbar" else acc * 0 + 1
            group["Gyroscope"] = gyr
            group["Time"] = np.int64(1e6 * START_S) + np.arange(len(acc), dtype=np.int64) * 10_000
            group.create_group("Configuration").attrs["Label 0"] = np.bytes_(label)
    recordings = read_recordings([path], ReadingOptions())
    assert [recording.foot for recording in recordings] == ["left", "right"]
    assert_walk(recordings[1], walk)
    assert recordings[0].clock == "utc" and recordings[0].clock_start_s == START_S
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="damaged HDF5"):
        read_recordings([path], ReadingOptions())


def cwa_packet(samples, second, offset, sequence):
    """512 bytes of an AX6: 40 samples of gyroscope and accelerometer, ±2000 deg/s and ±16 g, at 100 Hz."""
    when = datetime.fromtimestamp(second, UTC)
    stamp = (when.year - 2000) << 26 | when.month << 22 | when.day << 17
    stamp |= when.hour << 12 | when.minute << 6 | when.second
    # Bits of `light`: accelerometer 2^(8+3) counts a g, gyroscope 8000/2^2 deg/s.
    ranges = 3 << 13 | 2 << 10
    fields = (508, 0x8000, 1, sequence, stamp, ranges, 0, 200, 0, 0x4A, 0x62, offset, len(samples))
    head = struct.pack("<2sHHIIIHHBBBBhH", b"AX", *fields)
    body = head + samples.astype("<i2").tobytes()
    body += bytes(510 - len(body))
    total = sum(struct.unpack("<255H", body)) & 0xFFFF
    return body + struct.pack("<H", (0x10000 - total) & 0xFFFF)


def test_axivity_cwa_is_read(walk, tmp_path):
    pytest.importorskip("cwa_reader_rs")
    acc, gyr = walk
    counts = np.rint(
        np.column_stack([np.rad2deg(gyr) * 32768 / 2000, acc / STANDARD_GRAVITY_MPS2 * 2048])
    ).clip(-32768, 32767)
    header = bytearray(1024)
    header[:5] = struct.pack("<2sHB", b"MD", 1020, 0x64)
    header[36] = 0x4A
    packets = [
        cwa_packet(counts[first : first + 40], START_S + first // 100, -(first % 100), first // 40)
        for first in range(0, len(counts) // 40 * 40, 40)
    ]
    path = tmp_path / "6012345_right.cwa"
    path.write_bytes(bytes(header) + b"".join(packets))
    recording = read_one(path)
    assert recording.rate_hz == pytest.approx(100, rel=1e-3) and recording.foot == "right"
    np.testing.assert_allclose(recording.gyr_radps[:1200], gyr[:1200], atol=0.05)
    path.write_bytes(bytes(header) + b"\xff" * 700)
    with pytest.raises(DataError, match=r"right\.cwa"):
        read_one(path)


def test_bids_motion_is_read_with_the_files_beside_it(walk, tmp_path):
    acc, gyr = walk
    stem = "sub-01_task-walk_tracksys-imu"
    samples = rows(acc / STANDARD_GRAVITY_MPS2, np.rad2deg(gyr), sep="\t")
    (tmp_path / f"{stem}_motion.tsv").write_text("\n".join(samples))
    lines = ["name\tcomponent\ttype\ttracked_point\tunits"]
    for kind, unit in (("ACCEL", "g"), ("GYRO", "deg/s")):
        lines += [f"{kind}_{axis}\t{axis}\t{kind}\tRightFoot\t{unit}" for axis in "xyz"]
    (tmp_path / f"{stem}_channels.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / f"{stem}_motion.json").write_text(json.dumps({"SamplingFrequency": 100}))
    assert_walk(read_one(tmp_path / f"{stem}_motion.tsv"), walk)
