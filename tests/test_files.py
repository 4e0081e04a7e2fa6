"""Atomic writing: a file or folder is complete or absent after any interruption."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tinystride.files import atomic_folder, atomic_write, partial_path, read_json, write_json


def test_atomic_write_that_fails_keeps_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["table.csv"]


def test_atomic_folder_that_fails_keeps_the_old_folder(tmp_path):
    path = tmp_path / "strides"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(KeyboardInterrupt), atomic_folder(path) as partial:
        (partial / "half").touch()
        raise KeyboardInterrupt
    assert os.listdir(path) == ["old"] and os.listdir(tmp_path) == ["strides"]


def test_atomic_folder_with_kept_partial_continues_in_the_next_run(tmp_path):
    path = tmp_path / "raw"
    with pytest.raises(RuntimeError), atomic_folder(path, keep_partial=True) as partial:
        (partial / "first").write_text("whole")
        raise RuntimeError
    assert not path.exists()
    with atomic_folder(path, keep_partial=True) as partial:
        assert (partial / "first").read_text() == "whole"
        (partial / "second").touch()
    assert sorted(os.listdir(path)) == ["first", "second"]


def test_atomic_folder_of_a_killed_process_is_absent(tmp_path):
    path = tmp_path / "strides"
    code = (
        "import sys, time; from tinystride.files import atomic_folder\n"
        "with atomic_folder(sys.argv[1]) as partial:\n"
        "    (partial / 'half').touch(); print('writing', flush=True); time.sleep(60)"
    )
    running = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert running.stdout.readline() == b"writing\n"
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    assert not path.exists() and partial_path(path).exists()
    with atomic_folder(path) as partial:
        (partial / "whole").touch()
    assert os.listdir(path) == ["whole"] and os.listdir(tmp_path) == ["strides"]


def test_write_json_gives_stable_bytes_and_refuses_nan(tmp_path):
    path = tmp_path / "metrics.json"
    write_json(path, {"b": np.float64(0.5), "a": np.arange(2)})
    first = path.read_bytes()
    time.sleep(0.01)
    write_json(path, {"b": np.float64(0.5), "a": np.arange(2)})
    assert path.read_bytes() == first and json.loads(first) == read_json(path) == {"b": 0.5, "a": [0, 1]}
    with pytest.raises(ValueError, match="Out of range"):
        write_json(path, {"rmse_cm": float("nan")})
    assert path.read_bytes() == first
