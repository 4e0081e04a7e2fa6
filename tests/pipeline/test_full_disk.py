"""Stages on a full or read-only file system, mounted in a namespace of the test's own."""

import os
import subprocess

import pytest

from tests.pipeline.clones import environment

STAGES = {
    "download": "data",
    "preprocess": "data",
    "split_by_subject": "data",
    "quantize": "models",
    "cross_validate": "results",
    "evaluate": "results",
    "export_c": "models",
}
FULL = "mount -t tmpfs -o size={kilobytes}k none kept && cp -r {folder}/. kept/ && mount --bind kept {folder}"
READ_ONLY = "mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"


def run_in_namespace(clone, mount: str, stage: str) -> subprocess.CompletedProcess:
    (clone / "kept").mkdir(exist_ok=True)
    script = f"{mount} && {{ head -c 100M /dev/zero > filler; rm -f filler; python -m stages.{stage} 0; }}"
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=clone, env=environment(), capture_output=True, text=True,
    )  # fmt: skip


def assert_one_line(done: subprocess.CompletedProcess, words: str) -> None:
    assert done.returncode == 1, done.stderr[-2000:]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and words in errors[0]
    assert "Traceback" not in done.stderr


def size_kilobytes(folder) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4 + 4 for path in folder.rglob("*"))


@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_ends_a_stage_in_one_line(copy_of_reproduced, stage):
    folder = STAGES[stage]
    # What is there fits, the next output does not.
    kilobytes = size_kilobytes(copy_of_reproduced / folder) + 4
    mount = FULL.format(folder=folder, kilobytes=kilobytes)
    assert_one_line(run_in_namespace(copy_of_reproduced, mount, stage), "No space left on device")


@pytest.mark.parametrize("stage", STAGES)
def test_a_read_only_folder_ends_a_stage_in_one_line(copy_of_reproduced, stage):
    before = sorted(os.listdir(copy_of_reproduced / STAGES[stage]))
    done = run_in_namespace(copy_of_reproduced, READ_ONLY.format(folder=STAGES[stage]), stage)
    assert_one_line(done, "Read-only file system")
    assert sorted(os.listdir(copy_of_reproduced / STAGES[stage])) == before
