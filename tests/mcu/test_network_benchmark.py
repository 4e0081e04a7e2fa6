"""Networks on emulated cores are bit-exact with TFLM, and their costs are counted exactly."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.codegen.c_program import STRICT, export
from tests.codegen.networks import BUILT, KERAS, network
from tests.codegen.operator_networks import OPERATORS
from tinystride.cli import main
from tinystride.codegen import export_model
from tinystride.codegen.reader import read_graph
from tinystride.codegen.tflm import example_inputs
from tinystride.errors import MissingExtraError, ParameterError, ToolError
from tinystride.mcu import benchmark_model
from tinystride.mcu.cores import CORES
from tinystride.mcu.network_benchmark import measure
from tinystride.mcu.toolchain import OPTIMIZATION, flash_bytes

HEADER = """
#include <stdint.h>
#define MODEL_INPUT_SIZE 4
#define MODEL_OUTPUT_SIZE 1
#define MODEL_INPUT_TYPE int8_t
#define MODEL_OUTPUT_TYPE int8_t
int model_run(const int8_t *input, int8_t *output);
"""


EVERYWHERE = ["residual", "odd_pooled", "residual_sum", "strided", "saturated", "dead_channels"]
EVERYWHERE += ["softmax_rows", "batch_normalization", "branches", "padded", "streaming"]
EVERYWHERE += ["odd_image", "wide_image", "from_one_channel", "dense_per_tensor"]
# The Cortex-M7 has the instructions of the M4F, and the M3 runs the same plain C as the M0 and rv32imc.
FEW, ALIKE = ["residual", "saturated", "wide_image"], ["cortex-m3", "cortex-m7"]


@pytest.fixture
def model_file(tmp_path):
    def write(name: str):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(network(name))
        return path

    return write


@pytest.mark.parametrize("name", [*BUILT, *OPERATORS, *KERAS])
def test_benchmark_model_each_network_equals_tflm(name, model_file):
    measured = benchmark_model(model_file(name), "cortex-m4f", vectors=12, seed=5)
    assert (measured["vectors"], measured["mismatches"]) == (12, 0)


@pytest.mark.parametrize(
    ("name", "core"),
    [
        (name, core)
        for core in CORES
        if core != "cortex-m4f"
        for name in (FEW if core in ALIKE else EVERYWHERE)
    ],
)
def test_benchmark_model_each_core_equals_tflm(name, core, model_file):
    measured = benchmark_model(model_file(name), core, vectors=12, seed=6)
    assert (measured["vectors"], measured["mismatches"]) == (12, 0)


@pytest.mark.parametrize("flags", [("-O0",), ("-O3",), ("-Os",), ("-O2", "-DTINYSTRIDE_PLAIN_C")])
@pytest.mark.parametrize("name", ["residual", "saturated"])
def test_benchmark_model_other_flags_equal_tflm(name, flags, model_file):
    measured = benchmark_model(model_file(name), vectors=12, seed=7, flags=("-std=c99", *flags))
    assert measured["mismatches"] == 0


@pytest.mark.parametrize("cpu", ["cortex-m0", "cortex-m3", "cortex-m4", "cortex-m33", "cortex-m55"])
@pytest.mark.parametrize("name", ["residual", "residual_sum", "saturated", "depthwise_image"])
def test_compile_object_each_core_has_no_warning(name, cpu, tmp_path):
    source = export(network(name), tmp_path) / "peer.c"
    for compiler, *language in (
        ("arm-none-eabi-gcc", "-std=c99"),
        ("arm-none-eabi-g++", "-x", "c++", "-std=c++17"),
        ("clang", "--target=arm-none-eabi", "-std=c99"),
    ):
        command = [
            compiler,
            *language,
            f"-mcpu={cpu}",
            "-mthumb",
            "-ffreestanding",
            "-O2",
            *STRICT,
            "-c",
            source,
        ]
        built = subprocess.run([*command, "-o", tmp_path / "peer.o"], capture_output=True, text=True)
        assert built.returncode == 0, built.stderr[:2000]


@pytest.mark.parametrize(
    ("name", "core", "instructions", "flash_bytes", "ram_bytes"),
    [
        ("paper", "cortex-m4f", 530_000, 73_500, 5_200),
        ("paper", "cortex-m3", 700_000, 73_700, 5_200),
        ("paper", "cortex-m0", 5_000_000, 73_500, 5_200),
        ("residual", "cortex-m4f", 30_000, 3_500, 1_000),
    ],
)
def test_benchmark_model_costs_are_within_bounds(
    name, core, instructions, flash_bytes, ram_bytes, model_file
):
    measured = benchmark_model(model_file(name), core, vectors=6)
    assert measured["mismatches"] == 0
    assert measured["instructions"] <= instructions
    assert measured["flash_bytes"] <= flash_bytes
    assert measured["ram_bytes"] <= ram_bytes


@pytest.mark.parametrize("name", ["residual", "wide_image"])
def test_export_model_optimize_size_gives_the_same_outputs_in_less_flash(name, model_file, tmp_path):
    path = model_file(name)
    inputs = example_inputs(read_graph(path), 5, seed=8)
    measured = {}
    for optimize in ("speed", "size"):
        export_model(path, tmp_path / optimize, prefix="model", optimize=optimize)
        measured[optimize] = measure(CORES["cortex-m4f"], tmp_path / optimize, inputs)
    np.testing.assert_array_equal(measured["size"].outputs, measured["speed"].outputs)
    assert flash_bytes(measured["size"].sections) < flash_bytes(measured["speed"].sections)
    assert measured["size"].instructions.max() > measured["speed"].instructions.max()


def test_export_model_unknown_optimize_is_rejected(model_file, tmp_path):
    with pytest.raises(ParameterError, match="optimize 'energy': must be speed or size"):
        export_model(model_file("residual"), tmp_path / "c", prefix="model", optimize="energy")


def test_benchmark_model_twice_gives_the_same_numbers(model_file):
    path = model_file("residual")
    assert benchmark_model(path, vectors=5) == benchmark_model(path, vectors=5)


def test_benchmark_model_given_inputs_are_used_or_rejected(model_file):
    inputs = np.full((3, 384), 7, np.int8)
    assert benchmark_model(model_file("residual"), inputs=inputs)["vectors"] == 3
    for wrong in (inputs[:, :-1], inputs.astype(np.uint8), inputs[0]):
        with pytest.raises(ParameterError, match=r"takes int8 \[vectors, 384\]"):
            benchmark_model(model_file("residual"), inputs=wrong)


def run_c(core: str, body: str, folder):
    """Run a hand-written model_run of that body on two inputs."""
    (folder / "model.h").write_text(HEADER)
    (folder / "model.c").write_text(
        f'#include "model.h"\nint model_run(const int8_t *input, int8_t *output)\n{{\n{body}\n}}\n'
    )
    return measure(CORES[core], folder, np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.int8))


def loop(core: str, turns: int) -> str:
    """The body of a model_run that takes two instructions for each turn."""
    code = "1: addi %0, %0, -1\\n bnez %0, 1b"
    if core.startswith("cortex"):
        code = ".syntax unified\\n1: subs %0, #1\\n bne 1b"
    return (
        f"    static const volatile uint32_t turns = {turns};\n    uint32_t left = turns;\n"
        f'    __asm volatile("{code}" : "+{"l" if "subs" in code else "r"}"(left));\n'
        "    *output = input[0];\n    return 0;"
    )


@pytest.mark.parametrize("core", CORES)
def test_measure_instructions_are_exact(core, tmp_path):
    """A loop of two instructions: each further turn is two more."""
    counts = []
    for turns in (1, 2, 1000, 100_000, 10_000_000):
        measured = run_c(core, loop(core, turns), tmp_path)
        assert (measured.outputs.ravel() == [1, 5]).all()
        counts.append(int(measured.instructions[0]))
        assert turns > 1_000_000 or measured.instructions[1] == counts[-1]
    assert counts[1] - counts[0] == 2
    assert counts[2] - counts[0] == 2 * 999
    assert counts[3] - counts[0] == 2 * 99_999
    assert counts[4] - counts[0] == 2 * 9_999_999
    assert 0 < counts[0] < 15


@pytest.mark.parametrize(("core", "turns"), [("cortex-m0", 270_000_000), ("cortex-m4f", 140_000_000)])
def test_measure_more_than_32_bits_of_ticks_is_exact(core, turns, tmp_path):
    """Two calls that together take more than 2^32 ticks of the board's timer."""
    few, many = (run_c(core, loop(core, count), tmp_path).instructions for count in (1, turns))
    assert many.sum() > CORES[core].instructions(1 << 32)
    assert (many == few + 2 * (turns - 1)).all()


@pytest.mark.parametrize("core", CORES)
def test_measure_stack_overflow_is_one_line(core, tmp_path):
    size = CORES[core].ram[1] - 256
    body = (
        f"    volatile uint8_t field[{size}];\n    field[0] = (uint8_t)input[0];\n"
        "    *output = (int8_t)field[0];\n    return 0;"
    )
    with pytest.raises(
        ToolError, match=rf"{core} \(\d+ bytes of RAM\): stack larger than the RAM; choose"
    ) as error:
        run_c(core, body, tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("core", CORES)
def test_measure_stack_is_exact(core, tmp_path):
    body = (
        "    volatile uint8_t field[{size}];\n    int i;\n"
        "    for (i = 0; i < {size}; i++) field[i] = (uint8_t)input[i & 3];\n"
        "    *output = (int8_t)field[{size} - 1];\n    return 0;"
    )
    small, large = (run_c(core, body.replace("{size}", size), tmp_path) for size in ("100", "1100"))
    grown = large.stack_bytes - small.stack_bytes
    assert (grown >= 1000).all() and (grown <= 1016).all()  # alignment and saved registers may differ
    assert 100 <= small.stack_bytes[0] < 160


def test_measure_sections_are_those_of_the_model(tmp_path):
    body = (
        "    static const int8_t constants[500] = {1};\n    static int8_t kept[40], started[12] = {1};\n"
        "    kept[input[1]] = input[0];\n    started[2] = kept[input[2]];\n"
        "    *output = (int8_t)(constants[input[0]] + started[input[3]]);\n    return 0;"
    )
    sections = run_c("cortex-m4f", body, tmp_path).sections
    assert (sections[".rodata"], sections[".bss"], sections[".data"]) == (500, 40, 12)
    assert 20 < sections[".text"] < 80 and sections[".vectors"] == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    *(volatile int *)0xF0000000 = *input; *output = 0; return 0;", "fault: an address"),
        ("    *output = *input; return 3;", "status 1"),
        ('    __asm volatile("cpsid f\\n .inst 0xde00"); return 0;', "cortex-m4f .*locked up.*; choose"),
        ("    *output = undefined(input); return 0;", "undefined"),
    ],
)
def test_measure_failing_program_raises(body, message, tmp_path):
    with pytest.raises(ToolError, match=message):
        run_c("cortex-m4f", body, tmp_path)


def test_benchmark_model_too_large_for_the_core_is_rejected(tmp_path):
    body = "    static const int8_t table[300000] = {1}; *output = table[input[0] + 70000]; return 0;"
    with pytest.raises(
        ToolError, match=r"does not fit cortex-m0: it exceeds FLASH of 262144 bytes by \d+ bytes; choose"
    ):
        run_c("cortex-m0", body, tmp_path)
    body = "    static int8_t table[16384]; *output = table[input[0] + 70]++; return 0;"
    with pytest.raises(
        ToolError, match=r"does not fit cortex-m0: it exceeds RAM of 16384 bytes by \d+ bytes; choose"
    ):
        run_c("cortex-m0", body, tmp_path)


@pytest.mark.parametrize(
    ("core", "program", "package"),
    [
        ("cortex-m4f", "arm-none-eabi-gcc", "gcc-arm-none-eabi"),
        ("cortex-m4f", "qemu-system-arm", "qemu-system-arm"),
        ("rv32imc", "riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf"),
        ("rv32imc", "qemu-system-riscv32", "qemu-system-misc"),
    ],
)
def test_benchmark_model_missing_tool_is_named(core, program, package, model_file, monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else which(name))
    with pytest.raises(ToolError, match=f"{program} is missing; install the Debian package {package}"):
        benchmark_model(model_file("residual"), core, vectors=1)


def test_benchmark_model_wrong_parameters_are_rejected(model_file):
    with pytest.raises(ParameterError, match="no core 'z80'; there are cortex-m0, cortex-m3, cortex-m4f"):
        benchmark_model(model_file("residual"), "z80")
    with pytest.raises(ParameterError, match="0 vectors"):
        benchmark_model(model_file("residual"), vectors=0)


def test_benchmark_command_prints_costs(model_file, capsys):
    main(["benchmark", str(model_file("residual")), "--core", "cortex-m3", "--vectors", "5", "--json"])
    measured = json.loads(capsys.readouterr().out)
    expected = {"flash_bytes", "ram_bytes", "stack_bytes", "instructions", "vectors", "mismatches"}
    assert expected | {"compiler", "flags", "flash_by_section"} <= measured.keys()
    assert measured["core"] == "cortex-m3" and set(OPTIMIZATION) <= set(measured["flags"].split())


def test_benchmark_command_platform_without_tflm_prints_not_compared(model_file, monkeypatch, capsys):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    main(["benchmark", str(model_file("residual")), "--vectors", "3", "--json"])
    printed = capsys.readouterr()
    assert json.loads(printed.out)["mismatches"] is None
    (line,) = printed.err.splitlines()
    assert line.startswith("note: not compared with TensorFlow Lite for Microcontrollers")


def test_benchmark_model_without_tflm_names_the_extra(model_file, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tinystride\[benchmark\]'"):
        benchmark_model(model_file("residual"), vectors=3)
