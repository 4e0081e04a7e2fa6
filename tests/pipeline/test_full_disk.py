"""Stages on a full or read-only file system, mounted in a namespace of the test's own."""

import os
import subprocess

import pytest

from tests.pipeline.clones import environment

OUTPUT_FOLDERS = {
    "download": "data",
    "split_by_subject": "data",
    "export_c": "models",
    "publish": "models",
}
FULL = (
    "mount -t tmpfs -o size=64m none kept && cp -r {folder}/. kept/ && mount --bind kept {folder} && "
    "{{ head -c 1G /dev/zero > {folder}/filler 2> /dev/null || true; }}"
)
READ_ONLY = "mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"


def run_in_namespace(clone, mount: str, stage: str) -> subprocess.CompletedProcess:
    (clone / "kept").mkdir()
    script = f"{mount.format(folder=OUTPUT_FOLDERS[stage])} && python -m stages.{stage}"
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=clone,
        env=environment(),
        capture_output=True,
        text=True,
    )


def assert_one_line(done: subprocess.CompletedProcess, words: str) -> None:
    assert done.returncode == 1, done.stderr[-2000:]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and words in errors[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("stage", OUTPUT_FOLDERS)
def test_stage_full_disk_ends_in_one_line(copy_of_reproduced, stage):
    assert_one_line(run_in_namespace(copy_of_reproduced, FULL, stage), "No space left on device")


@pytest.mark.parametrize("stage", ["split_by_subject", "publish"])
def test_stage_read_only_folder_ends_in_one_line(copy_of_reproduced, stage):
    folder = copy_of_reproduced / OUTPUT_FOLDERS[stage]
    before = sorted(os.listdir(folder))
    assert_one_line(run_in_namespace(copy_of_reproduced, READ_ONLY, stage), "Read-only file system")
    assert sorted(os.listdir(folder)) == before
