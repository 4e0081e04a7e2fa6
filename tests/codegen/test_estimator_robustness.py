"""The estimator where nobody walks, with its state moved about, and called with anything at all."""

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
LARGEST_ERROR_CM = 10


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return export_estimator(tmp_path_factory.mktemp("estimator"))


def to_stream(recording: Recording) -> Stream:
    samples = np.hstack([recording.acc_mps2, recording.gyr_radps])
    return Stream(recording.rate_hz, recording.foot, samples, recording.saturation)


def after_walk(kind: str, subject, sensor, seed: int, duration_s: float) -> tuple[Stream, int]:
    """A walk, so that nothing is flagged for want of what it teaches; an activity; where that begins."""
    walk = simulate_walk(subject, sensor=sensor, seed=seed)
    activity = simulate_activity(kind, subject=subject, sensor=sensor, seed=seed, duration_s=duration_s)
    samples = [to_stream(recording).samples for recording in (walk, activity)]
    return replace(to_stream(walk), samples=np.concatenate(samples)), walk.n_samples


def test_an_hour_without_walking_tells_no_unflagged_stride(library):
    streams, begins = [], []
    for number in range(PEOPLE):
        rng = np.random.default_rng([7, number])
        subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
        for kind in POSES:
            stream, begin = after_walk(kind, subject, sensor, number, 3600 / len(POSES) / PEOPLE)
            streams.append(stream)
            begins.append(begin)
    idle = [len(stream.samples) - begin for stream, begin in zip(streams, begins, strict=True)]
    assert sum(idle) / 100 == pytest.approx(3600) and all(stream.rate_hz == 100 for stream in streams)
    strides = stream_on_host(library, streams).strides
    walking = strides["end_sample"] < np.array(begins)[strides["recording"]]
    assert not ((strides["flags"][~walking] | NO_STANDING) == NO_STANDING).any()
    # The same sensors and estimator tell of strides where there are some.
    assert (strides["flags"][walking] == 0).sum() >= 8 * len(streams)
    assert (~walking).sum() > 300


def with_lengths(kind: str, number: int) -> Recording:
    rng = np.random.default_rng([8, number])
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    return simulate_activity(kind, subject=subject, sensor=sensor, seed=number)


@pytest.mark.parametrize("kind", GAITS)
def test_other_gaits_are_told_well_or_flagged(library, kind):
    recordings = [with_lengths(kind, number) for number in range(PEOPLE)]
    told = stream_on_host(library, [to_stream(recording) for recording in recordings]).strides
    judged = 0
    for number, recording in enumerate(recordings):
        own = told[told["recording"] == number]
        places = [own[side].astype(float) / recording.rate_hz for side in ("start_sample", "end_sample")]
        found, _ = match(recording.reference, recording.reference_event, *places)
        apart_cm = own["length_cm"][found] - recording.reference["stride_length_cm"].to_numpy()
        unflagged = (found >= 0) & (own["flags"][found] == 0)
        assert (np.abs(apart_cm[unflagged]) <= LARGEST_ERROR_CM).all()
        judged += (found >= 0).sum()
    assert judged > 30


MOVED = """
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
    int told[2];
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
        tinystride_stride_t *stride = &walk->strides[attempt][walk->told[attempt]];
        const float *values = walk->samples[sample];
        walk->told[attempt] += tinystride_push(walk->state, values, values + 3, stride) == TINYSTRIDE_STRIDE;
    }
}

/* The state goes elsewhere, and where it was nothing of it is left. */
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
        differ += walk->told[0] != walk->told[1];
        differ += memcmp(walk->strides[0], walk->strides[1], sizeof walk->strides[0]) != 0;
    }
    printf("%d and %d strides, %d differ\\n", walks[0].told[0], walks[1].told[0], differ);
    return 0;
}
"""


def test_two_instances_interleaved_and_their_state_copied(library, tmp_path):
    subject = SimulatedSubject()
    walks = [
        to_stream(simulate_walk(subject, foot=foot, rate_hz=rate_hz, seed=4))
        for foot, rate_hz in (("left", 100.0), ("right", 128.0))
    ]
    (tmp_path / "walks.bin").write_bytes(b"".join(replace(w, full_scale=(0, 0)).to_bytes() for w in walks))
    (tmp_path / "main.c").write_text(MOVED)
    program = tmp_path / "program"
    sources = [tmp_path / "main.c", *sorted(library.glob("src/*.c"))]
    flags = ["-std=c99", "-O1", *STRICT, "-fsanitize=address,undefined", f"-I{library / 'include'}"]
    built = subprocess.run(["gcc", *flags, *sources, "-lm", "-o", program], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([program, tmp_path / "walks.bin"], capture_output=True, text=True)
    counted = re.fullmatch(r"(\d+) and (\d+) strides, 0 differ\n", ran.stdout)
    assert counted and min(map(int, counted.groups())) >= 10, ran.stdout + ran.stderr


# Inputs of the fuzzer, in base 64, that once ended in numbers that are none.
A_GYROSCOPE_THAT_TELLS_NOTHING = (
    "ESwoc3Nzc3Nzc3Nzc3Nzc3NzJ3Nzc3Nzc3Nzc3MBAAAAAAAAAHNzc3Nzc3Nzc3NbrkZGRkZGRkZGRkZGRkZGRkZGRkZ6RkZG"
    "RkZGRkZGRkZGRkJGRkZGc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzi3Nzc3Nzc3NzRkZGRkZGRkZGRkZGcwFGRkZGRkZGRkZGRkZG"
    "Rg=="
)
RATES_BEYOND_WHAT_A_STEP_CAN_FOLLOW = (
    "GRkZGRkZGRkZGQEAAAAAAACZGRkZGRkZGRkZAAAAAAAAAB0ZGRkZGRkZGRkZGRkZGRgZGRkZGRkZGRkZGRkZGRkZGf///3Bw"
    "cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwPT09PT09PT09PT1wcHBwcHBwcHBwcHBwcHBwcHBwcCfe3t7e3t7e3t7e3t693t7e"
    "3t7/////////Fd7e3tpwGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGf/6+vr6+vr6+vr6+vr6+vr6+vr6+vr6+vr6+vr6+vr6"
    "+vr6+vr6+vr6//9wcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwho+Pj3BwcHBwcHBwfAT/cHBwcHBwcHBwcIaP"
    "j49wcHBwcHBwcHwE/////wkZCg=="
)


@pytest.mark.parametrize("calls", [A_GYROSCOPE_THAT_TELLS_NOTHING, RATES_BEYOND_WHAT_A_STEP_CAN_FOLLOW])
def test_what_broke_it_once_breaks_it_no_more(library, tmp_path, calls):
    (tmp_path / "input").write_bytes(base64.b64decode(calls))
    ran = subprocess.run([fuzz.build(library, tmp_path), tmp_path / "input"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_arbitrary_calls_break_nothing(library, tmp_path):
    calls, strides = fuzz.run(fuzz.build(library, tmp_path), seed=1, runs=1000, max_s=12)
    assert calls > 50_000 and strides > 50


def test_the_fuzzer_finds_a_write_beyond_the_history(library, tmp_path):
    """So that finding none says something."""
    export_estimator(tmp_path)
    header = tmp_path / "c/include/tinystride.h"
    text, changed = re.subn(
        r"(int16_t samples\[TINYSTRIDE_HISTORY_BLOCKS)\]", r"\1 - 1u]", header.read_text()
    )
    assert changed == 1
    header.write_text(text)
    with pytest.raises(AssertionError, match=r"out of bounds|overflow"):
        fuzz.run(fuzz.build(tmp_path / "c", tmp_path), seed=1, runs=150, max_s=15)
