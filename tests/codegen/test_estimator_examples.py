"""The examples of the C library, built as their users build them."""

import io
import subprocess

import numpy as np
import pandas as pd
import pytest

from tests.codegen.c_program import STRICT, run
from tests.codegen.estimator_library import export_estimator
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.mcu.cores import CORES

SENSORS = {"LSM6DS3": [], "BMI270_BMM150": ["-DARDUINO_ARDUINO_NANO33BLE"]}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return export_estimator(tmp_path_factory.mktemp("estimator"))


@pytest.fixture(scope="module")
def build(library, tmp_path_factory):
    """Build the library with its CMake file alone."""
    folder = tmp_path_factory.mktemp("build")
    run("cmake", "-S", library, "-B", folder, "-DCMAKE_C_FLAGS=" + " ".join([*STRICT, "-Wdouble-promotion"]))
    run("cmake", "--build", folder)
    return folder


def replay(build, *arguments, code=0) -> subprocess.CompletedProcess:
    ran = subprocess.run(
        [build / "replay", *map(str, arguments)], capture_output=True, text=True, timeout=600
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran


def strides_of(ran: subprocess.CompletedProcess) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(ran.stdout), keep_default_na=False)


def test_library_cmake_tests_pass(build):
    said = run("ctest", "--test-dir", build)
    assert "100% tests passed, 0 tests failed out of 2" in said


def test_replay_example_walk_prints_its_strides(library, build):
    strides = strides_of(replay(build, library / "examples/replay/walk.csv", 64, "right"))
    assert len(strides) == 6 and (strides["flags"] == "").all()
    assert strides["stride_length_cm"].iloc[1:].between(125, 136).all()
    difference = strides["stride_length_cm"] - strides["strapdown_length_cm"]
    assert 0 < difference.abs().max() <= 2.05


@pytest.fixture(scope="module")
def walk():
    return simulate_walk(SimulatedSubject(), foot="left", n_strides=6, rate_hz=128, seed=8)


def write(path, recording, header="acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z", units=(1, 1), lost=()):
    lines = [header]
    samples = np.hstack([recording.acc_mps2 / units[0], recording.gyr_radps / units[1]])
    for i, sample in enumerate(samples):
        lines.append("" if i in lost else ",".join(f"{value:.5f}" for value in sample))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_replay_other_headers_units_and_lost_samples_are_read(build, walk, tmp_path):
    plain = strides_of(replay(build, write(tmp_path / "plain.csv", walk), 128, "left"))
    assert len(plain) == 6 and set(plain["flags"]) == {""}
    for row, length_cm in zip(plain.itertuples(), walk.reference["stride_length_cm"].iloc[:-1], strict=False):
        # The reference is from contact to contact; the first strides become longer.
        assert row.Index == 0 or abs(row.stride_length_cm - length_cm) < 9
    exported = write(
        tmp_path / "export.csv",
        walk,
        "An export\n\nAccel X,Accel Y,Accel Z,Gyro X,Gyro Y,Gyro Z\n[g],[g],[g],[deg/s],[deg/s],[deg/s]",
        units=(9.80665, 0.01745329),
    )
    others = strides_of(replay(build, exported, 128, "left", 9.80665, 0.01745329))
    pd.testing.assert_frame_equal(others, plain, atol=0.05)
    middle = len(walk.acc_mps2) // 2
    lost = strides_of(
        replay(build, write(tmp_path / "lost.csv", walk, lost=range(middle, middle + 8)), 128, "left")
    )
    # A gap that is too long to interpolate: strides start again after it.
    assert len(lost) >= 4 and set(lost["start_s"].round(1)) < set(plain["start_s"].round(1))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["walk.csv"], 2, "usage"),
        (["walk.csv", 64, "middle"], 2, "usage"),
        (["absent.csv", 64, "right"], 1, "cannot be opened"),
        (["walk.csv", 20, "right"], 1, "40 to 420 Hz"),
        (["walk.csv", 64, "right", 0.1, 1], 1, "give the units"),
        (["../../README.md", 64, "right"], 1, "no header with acc_x"),
    ],
)
def test_replay_bad_input_is_rejected_in_one_line(library, build, arguments, code, message):
    first, *rest = arguments
    ran = replay(build, library / "examples/replay" / first, *rest, code=code)
    assert message in ran.stderr and ran.stderr.count("\n") == 1


def test_replay_tripod_recording_prints_its_strides(build, raw_folder):
    """Read the published file: a preamble, a line of units, g and deg/s, other columns."""
    folder = raw_folder / "tripod-excerpt/example_data/raw/TRIPOD_excerpt/Sub_FZ/PWS/IMU"
    strides = strides_of(replay(build, folder / "RF.csv", 128, "right", 9.80665, 0.0174533))
    assert len(strides) >= 110
    plain = strides[strides["flags"] == ""]
    # The belt stops at the end.
    assert len(plain) > 100 and plain["stride_length_cm"].between(100, 170).mean() > 0.95


def bare_metal(library, folder, core, *flags):
    """Run the command in the head of the example's main.c, for any core."""
    example, image = library / "examples/bare_metal", folder / "strides.elf"
    sources = [example / "main.c", example / "start.c", *sorted(library.glob("src/tinystride*.c"))]
    strict = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    options = [*core.flags, "-std=c99", "-Os", *strict, *flags, f"-I{library / 'include'}"]
    link = ["-nostartfiles", "-T", example / "link.ld", "-lm", "-o", image]
    run("arm-none-eabi-gcc", *options, *sources, *link)
    return image


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m4f"])
def test_bare_metal_emulator_prints_strides(library, tmp_path, name):
    core = CORES[name]
    image = bare_metal(library, tmp_path, core, "-DSEMIHOSTING")
    ran = subprocess.run(
        ["qemu-system-arm", "-M", core.machine, "-nographic", "-semihosting", "-kernel", image],
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0
    lines = (ran.stdout + ran.stderr).splitlines()
    assert len(lines) == 6
    assert all(line.endswith(" cm, flags 0x000") for line in lines)
    assert all(125 < float(line.split()[0]) < 136 for line in lines[1:])


def test_bare_metal_without_semihosting_builds(library, tmp_path):
    assert bare_metal(library, tmp_path, CORES["cortex-m3"]).exists()


ARDUINO_H = """
#include <stdint.h>
struct Port { void begin(long); template <class T> void print(T); template <class T> void println(T); };
extern Port Serial;
unsigned long micros();
"""
WIRE_H = """
#include <stdint.h>
struct TwoWire {
    void beginTransmission(uint8_t);
    unsigned write(uint8_t);
    uint8_t endTransmission();
    uint8_t requestFrom(uint8_t, uint8_t);
    int read();
};
extern TwoWire Wire, Wire1;
"""
DRIVER_H = """
struct Sensor {
    int begin();
    int accelerationAvailable();
    float accelerationSampleRate();
    int gyroscopeAvailable();
};
extern Sensor IMU;
"""


@pytest.mark.parametrize("sensor", SENSORS)
def test_sketch_drivers_interfaces_compiles(library, tmp_path, sensor):
    """Compile with substitutes for the headers of Arduino and the drivers."""
    for name, text in (("Arduino.h", ARDUINO_H), ("Wire.h", WIRE_H), (f"Arduino_{sensor}.h", DRIVER_H)):
        (tmp_path / name).write_text(text)
    source = tmp_path / "sketch.cpp"
    source.write_text(f'#include "Arduino.h"\n#include "{library / "examples/strides/strides.ino"}"\n')
    flags = ["-Wall", "-Wextra", "-Werror", f"-I{tmp_path}", f"-I{library / 'src'}", *SENSORS[sensor]]
    run("g++", "-std=c++11", *flags, "-fsyntax-only", source)
    core = CORES["cortex-m4f"].flags
    run("arm-none-eabi-g++", "-std=gnu++14", *core, "-Os", *flags, "-c", source, "-o", tmp_path / "sketch.o")
    properties = (library / "library.properties").read_text()
    assert "includes=tinystride.h,tinystride_model.h" in properties


def test_export_direct_model_has_no_estimator(tmp_path):
    from tests.codegen.networks import network
    from tinystride.codegen import export_model

    (tmp_path / "model.tflite").write_bytes(network("along_height"))
    exported = export_model(tmp_path / "model.tflite", tmp_path / "c")
    assert not [name for name in exported["files"] if "replay" in name or "tinystride.h" in name]
    assert "tinystride.h" not in (tmp_path / "c/library.properties").read_text()
    assert "replay" not in (tmp_path / "c/CMakeLists.txt").read_text()
    run("cmake", "-S", tmp_path / "c", "-B", tmp_path / "build")
    run("cmake", "--build", tmp_path / "build")
    assert "100% tests passed, 0 tests failed out of 1" in run("ctest", "--test-dir", tmp_path / "build")
