"""The C estimator without walking, with its state moved in memory, and with arbitrary calls."""

import base64
import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import fuzz
from tests.codegen.c_program import STRICT
from tests.codegen.estimator_library import export_estimator
from tinystride.datasets.recording import Recording
from tinystride.datasets.simulated_activities import GAITS, POSES, simulate_activity
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait.matching import match
from tinystride.mcu.estimator_benchmark import Stream, stream_on_host

PEOPLE = 3
NO_STANDING = 1
MAX_ERROR_CM = 10


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return export_estimator(tmp_path_factory.mktemp("estimator"))


@pytest.fixture(scope="module")
def fuzzer(library, tmp_path_factory):
    return fuzz.build(library, tmp_path_factory.mktemp("fuzzer"))


def to_stream(recording: Recording) -> Stream:
    samples = np.hstack([recording.acc_mps2, recording.gyr_radps])
    return Stream(recording.rate_hz, recording.foot, samples, recording.saturation)


def activity_after_walk(kind: str, subject, sensor, seed: int, duration_s: float) -> tuple[Stream, int]:
    """Return a walk followed by an activity, and the sample at which the activity begins.

    The walk sets the estimator's state, so that no flag is raised only because there was no walk before.
    """
    walk = simulate_walk(subject, sensor=sensor, seed=seed)
    activity = simulate_activity(kind, subject=subject, sensor=sensor, seed=seed, duration_s=duration_s)
    samples = [to_stream(recording).samples for recording in (walk, activity)]
    return replace(to_stream(walk), samples=np.concatenate(samples)), walk.n_samples


def test_push_hour_without_walking_reports_no_unflagged_stride(library):
    streams, begins = [], []
    for number in range(PEOPLE):
        rng = np.random.default_rng([7, number])
        subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
        for kind in POSES:
            stream, begin = activity_after_walk(kind, subject, sensor, number, 3600 / len(POSES) / PEOPLE)
            streams.append(stream)
            begins.append(begin)
    idle = [len(stream.samples) - begin for stream, begin in zip(streams, begins, strict=True)]
    assert sum(idle) / 100 == pytest.approx(3600) and all(stream.rate_hz == 100 for stream in streams)
    strides = stream_on_host(library, streams).strides
    walking = strides["end_sample"] < np.array(begins)[strides["recording"]]
    assert not ((strides["flags"][~walking] | NO_STANDING) == NO_STANDING).any()
    # The same sensors and estimator report the strides of the walks.
    assert (strides["flags"][walking] == 0).sum() >= 8 * len(streams)
    assert (~walking).sum() > 300


def simulate_gait(kind: str, number: int) -> Recording:
    rng = np.random.default_rng([8, number])
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    return simulate_activity(kind, subject=subject, sensor=sensor, seed=number)


@pytest.mark.parametrize("kind", GAITS)
def test_push_other_gaits_lengths_are_right_or_flagged(library, kind):
    recordings = [simulate_gait(kind, number) for number in range(PEOPLE)]
    strides = stream_on_host(library, [to_stream(recording) for recording in recordings]).strides
    n_matched = 0
    for number, recording in enumerate(recordings):
        own = strides[strides["recording"] == number]
        places = [own[side].astype(float) / recording.rate_hz for side in ("start_sample", "end_sample")]
        found, _ = match(recording.reference, recording.reference_event, *places)
        error_cm = own["length_cm"][found] - recording.reference["stride_length_cm"].to_numpy()
        unflagged = (found >= 0) & (own["flags"][found] == 0)
        assert (np.abs(error_cm[unflagged]) <= MAX_ERROR_CM).all()
        n_matched += (found >= 0).sum()
    assert n_matched > 30


MOVED_STATE_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tinystride.h"

typedef struct {
    float rate_hz, full_scale[2];
    int32_t foot;
    uint32_t samples;
} header_t;

typedef struct {
    header_t header;
    float (*samples)[6];
    tinystride_t *state;
    tinystride_stride_t strides[2][100];
    int n_strides[2];
} walk_t;

static walk_t walks[2];

static void load(FILE *file, walk_t *walk)
{
    if (fread(&walk->header, sizeof walk->header, 1, file) != 1) {
        exit(2);
    }
    walk->samples = malloc(walk->header.samples * sizeof *walk->samples);
    walk->state = malloc(sizeof *walk->state);
    if (fread(walk->samples, sizeof *walk->samples, walk->header.samples, file) != walk->header.samples) {
        exit(2);
    }
}

static void begin(walk_t *walk)
{
    memset(walk->state, 0xAA, sizeof *walk->state);
    if (tinystride_init(walk->state, walk->header.rate_hz, walk->header.foot) != TINYSTRIDE_OK) {
        exit(2);
    }
}

static void push(walk_t *walk, uint32_t sample, int attempt)
{
    if (sample < walk->header.samples) {
        tinystride_stride_t *stride = &walk->strides[attempt][walk->n_strides[attempt]];
        const float *values = walk->samples[sample];
        const int status = tinystride_push(walk->state, values, values + 3, stride);
        walk->n_strides[attempt] += status == TINYSTRIDE_STRIDE;
    }
}

/* Move the state to another address and overwrite the old one. */
static void move(walk_t *walk)
{
    tinystride_t *elsewhere = malloc(sizeof *elsewhere);
    memcpy(elsewhere, walk->state, sizeof *elsewhere);
    memset(walk->state, 0x55, sizeof *walk->state);
    free(walk->state);
    walk->state = elsewhere;
}

int main(int count, char **words)
{
    FILE *file = count == 2 ? fopen(words[1], "rb") : NULL;
    uint32_t i;
    int k, differ = 0;
    if (file == NULL) {
        return 2;
    }
    for (k = 0; k < 2; k++) {
        load(file, &walks[k]);
        begin(&walks[k]);
        for (i = 0; i < walks[k].header.samples; i++) {
            push(&walks[k], i, 0);
        }
    }
    begin(&walks[0]);
    begin(&walks[1]);
    for (i = 0; i < walks[0].header.samples || i < walks[1].header.samples; i++) {
        for (k = 0; k < 2; k++) {
            push(&walks[k], i, 1);
            if (i % 37 == (uint32_t)k) {
                move(&walks[k]);
            }
        }
    }
    for (k = 0; k < 2; k++) {
        const walk_t *walk = &walks[k];
        differ += walk->n_strides[0] != walk->n_strides[1];
        differ += memcmp(walk->strides[0], walk->strides[1], sizeof walk->strides[0]) != 0;
    }
    printf("%d and %d strides, %d differ\\n", walks[0].n_strides[0], walks[1].n_strides[0], differ);
    return 0;
}
"""


def test_push_interleaved_and_moved_instances_give_the_same_strides(library, tmp_path):
    subject = SimulatedSubject()
    walks = [
        to_stream(simulate_walk(subject, foot=foot, rate_hz=rate_hz, seed=4))
        for foot, rate_hz in (("left", 100.0), ("right", 128.0))
    ]
    (tmp_path / "walks.bin").write_bytes(b"".join(replace(w, full_scale=(0, 0)).to_bytes() for w in walks))
    (tmp_path / "main.c").write_text(MOVED_STATE_PROGRAM)
    program = tmp_path / "program"
    sources = [tmp_path / "main.c", *sorted(library.glob("src/*.c"))]
    flags = ["-std=c99", "-O1", *STRICT, "-fsanitize=address,undefined", f"-I{library / 'include'}"]
    built = subprocess.run(["gcc", *flags, *sources, "-lm", "-o", program], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([program, tmp_path / "walks.bin"], capture_output=True, text=True)
    counted = re.fullmatch(r"(\d+) and (\d+) strides, 0 differ\n", ran.stdout)
    assert counted and min(map(int, counted.groups())) >= 10, ran.stdout + ran.stderr


# Inputs of the fuzzer in base 64 that once produced NaN.
CONSTANT_GYROSCOPE = (
    "ESwoc3Nzc3Nzc3Nzc3Nzc3NzJ3Nzc3Nzc3Nzc3MBAAAAAAAAAHNzc3Nzc3Nzc3NbrkZGRkZGRkZGRkZGRkZGRkZGRkZ6RkZG"
    "RkZGRkZGRkZGRkJGRkZGc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzi3Nzc3Nzc3NzRkZGRkZGRkZGRkZGcwFGRkZGRkZGRkZGRkZG"
    "Rg=="
)
ANGULAR_RATES_TOO_HIGH_TO_INTEGRATE = (
    "GRkZGRkZGRkZGQEAAAAAAACZGRkZGRkZGRkZAAAAAAAAAB0ZGRkZGRkZGRkZGRkZGRgZGRkZGRkZGRkZGRkZGRkZGf///3Bw"
    "cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwPT09PT09PT09PT1wcHBwcHBwcHBwcHBwcHBwcHBwcCfe3t7e3t7e3t7e3t693t7e"
    "3t7/////////Fd7e3tpwGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGf/6+vr6+vr6+vr6+vr6+vr6+vr6+vr6+vr6+vr6+vr6"
    "+vr6+vr6+vr6//9wcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwho+Pj3BwcHBwcHBwfAT/cHBwcHBwcHBwcIaP"
    "j49wcHBwcHBwcHwE/////wkZCg=="
)


@pytest.mark.parametrize("calls", [CONSTANT_GYROSCOPE, ANGULAR_RATES_TOO_HIGH_TO_INTEGRATE])
def test_fuzz_inputs_of_past_failures_pass(fuzzer, tmp_path, calls):
    (tmp_path / "input").write_bytes(base64.b64decode(calls))
    ran = subprocess.run([fuzzer, tmp_path / "input"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_fuzz_arbitrary_calls_find_no_error(fuzzer):
    calls, strides = fuzz.run(fuzzer, seed=1, runs=1000, max_s=600)
    assert calls > 50_000 and strides > 50


def test_fuzz_array_too_small_is_detected(library, tmp_path):
    """Check that the fuzzer detects errors."""
    export_estimator(tmp_path)
    header = tmp_path / "c/include/tinystride.h"
    text, changed = re.subn(
        r"(int16_t samples\[TINYSTRIDE_HISTORY_BLOCKS)\]", r"\1 - 1u]", header.read_text()
    )
    assert changed == 1
    header.write_text(text)
    with pytest.raises(AssertionError, match=r"out of bounds|overflow"):
        fuzz.run(fuzz.build(tmp_path / "c", tmp_path), seed=1, runs=150, max_s=600)
