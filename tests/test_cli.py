"""The command line: one line per error and status 1; status 2 for wrong usage."""

import errno
import os
import subprocess
import sys

import pytest

from tinystride.cli import one_line_errors
from tinystride.errors import DataError


def tinystride(*arguments, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tinystride", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def said(capsys, error: BaseException) -> str:
    with pytest.raises(SystemExit) as ended, one_line_errors():
        raise error
    assert ended.value.code == 1
    text = capsys.readouterr().err
    assert text.startswith("error: ") and text.count("\n") == 1
    return text


def test_error_with_a_message_of_two_lines_is_one_line(capsys):
    assert (
        said(capsys, DataError("a.csv: cut\noff; fetch it again"))
        == "error: a.csv: cut off; fetch it again\n"
    )


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "can be written"), (errno.EACCES, "writable")],
)
def test_system_error_names_file_and_remedy(capsys, number, remedy):
    text = said(capsys, OSError(number, os.strerror(number), "data/raw"))
    assert "data/raw" in text and os.strerror(number) in text and remedy in text


def test_unexpected_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), one_line_errors():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "arguments", [(), ("exportt",), ("export",), ("export", "m.tflite", "out", "--prefiks", "x")]
)
def test_command_line_of_wrong_usage_exits_with_2(arguments):
    done = tinystride(*arguments)
    assert done.returncode == 2 and "usage: tinystride" in done.stderr


@pytest.mark.parametrize("command", ["export", "benchmark"])
@pytest.mark.parametrize("content", [None, b"", b"gait,stride\n1,2\n" * 50, bytes(4) + b"TFL3" + bytes(3000)])
def test_file_without_a_network_is_refused_in_one_line(tmp_path, command, content):
    model, out = tmp_path / "model.tflite", tmp_path / "out"
    if content is not None:
        model.write_bytes(content)
    done = tinystride(command, model, *([out] if command == "export" else []))
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "model.tflite" in done.stderr
    assert not out.exists()
