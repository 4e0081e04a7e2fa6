"""Files without a recording, hostile and huge files: one clear line, little memory."""

import gzip
import os
import resource

import numpy as np
import pytest

from tinystride.errors import DataError, TinyStrideError
from tinystride.reading import ReadingOptions, read_recordings
from tinystride.reading.text import MAX_BYTES


def refusal(path) -> str:
    """Return the error of reading a file without options: one line with the file."""
    with pytest.raises(DataError) as caught:
        read_recordings([path], ReadingOptions())
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_are_refused(tmp_path, seed):
    path = tmp_path / "noise.csv"
    path.write_bytes(np.random.default_rng(seed).integers(0, 256, 30_000, dtype=np.uint8).tobytes())
    assert "not text" in refusal(path) or "no rows" in refusal(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7\n1 0 obj\n" + b"0.1,0.2,0.3,0.4,0.5,0.6\n" * 900, "a PDF"),
        (b"PK\x03\x04" + bytes(900), "an Excel workbook"),
        (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 90, "damaged gzip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(900), "HDF5"),
    ],
)
def test_file_of_another_kind_named_csv_is_refused_as_such(tmp_path, content, what):
    path = tmp_path / "walk.csv"
    path.write_bytes(content)
    if what == "HDF5":
        pytest.importorskip("h5py")
    assert what in refusal(path)


def test_ten_million_columns_are_refused(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_bytes(b",".join([b"acc_x"] * 10_000_000) + b"\n" + b",".join([b"1"] * 10_000_000) + b"\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "longer than 500 kB" in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_six_thousand_columns_are_refused(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([",".join(f"c{i}" for i in range(6000))] + [",".join(["0.5"] * 6000)] * 9))
    assert "more than 5000 columns" in refusal(path)


@pytest.mark.parametrize("name", ["huge.csv", "huge.h5", "huge.cwa"])
def test_file_of_five_gigabytes_is_refused_before_reading(tmp_path, name):
    path = tmp_path / name
    with open(path, "wb") as file:
        if name.endswith("h5"):
            file.write(b"\x89HDF\r\n\x1a\n")
        file.truncate(5_000_000_000)  # sparse: takes no space
    if name != "huge.csv":
        pytest.importorskip("h5py" if name.endswith("h5") else "cwa_reader_rs")
    assert f"{MAX_BYTES // 1_000_000} MB" in refusal(path)


def test_gzip_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tinystride.reading.text.MAX_BYTES", 1_000_000)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"0.1,0.2\n" * 400_000))
    assert path.stat().st_size < 100_000
    assert "more than 1 MB of text" in refusal(path)


def test_device_pipe_and_folder_are_refused(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert "is not a file" in refusal(pipe) and "is not a file" in refusal(tmp_path)
    assert "not found" in refusal(tmp_path / "none.csv")


def test_mutated_tables_are_read_or_refused(table, tmp_path):
    """A few hundred random damages; `benchmarks/fuzz_reading.py` tries many more."""
    from benchmarks.fuzz_reading import mutated

    path = tmp_path / "walk.csv"
    text = table.iloc[:400].assign(time=np.arange(400) / 100).to_csv(index=False).encode()
    read = 0
    for seed in range(200):
        path.write_bytes(mutated(text, np.random.default_rng(seed)))
        try:
            recordings = read_recordings([path], ReadingOptions(foot="right"))
        except TinyStrideError as error:
            assert str(path) in str(error)
        else:
            read += 1
            assert all(np.isfinite(recording.acc_mps2).all() for recording in recordings)
    assert 20 < read < 200


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("value", [1e308, -1e200, 1e15])
@pytest.mark.parametrize("column", ["acc_y", "gyr_z"])
def test_value_outside_the_range_of_any_sensor_is_a_lost_sample(table, read, column, value):
    table.loc[400, column] = value
    recording = read(table)
    assert recording.gaps.tolist() == [[400, 401]] and recording.n_samples == len(table)
    assert "1 sample lost in 1 gap" in recording.notes
