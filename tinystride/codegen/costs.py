"""Write the measured costs of an exported library into its README."""

import math
from collections.abc import Mapping

BEGIN, END = "<!-- costs: begin -->\n", "<!-- costs: end -->\n"
CLOCK_HZ = 64e6
# Assumed: a Cortex-M4 with cached flash takes about 1.3 cycles per instruction of CoreMark.
CYCLES_PER_INSTRUCTION = 1.3
COREMARK_URL = "https://www.eembc.org/coremark/"
# Current of an nRF52840 (Cortex-M4F) with CoreMark in cached flash at 3 V, from its product specification.
AMPERE_PER_HZ, SUPPLY_V = 52e-12, 3.0
CORES_OF_KNOWN_CURRENT = ("cortex-m4f",)
DATASHEET_URL = "https://docs.nordicsemi.com/bundle/ps_nrf52840/page/keyfeatures_html5.html"
# Current of accelerometer and gyroscope together in a common part (LSM6DS3, BMI270) in normal mode.
SENSOR_MICROAMPERE = 700
RATES_HZ = (100, 400)
ROWS = {
    "flash_bytes": "flash, bytes",
    "static_bytes": "RAM, bytes: `tinystride_t`",
    "stack_bytes": "stack, bytes, deepest call",
    "instructions_per_sample": "instructions per sample, mean",
    "instructions_per_sample_worst": "instructions per sample, worst outside a stride's end",
    "instructions_at_stride_end_worst": "instructions of the longest call",
}


def with_costs(readme: str, metrics: Mapping[str, Mapping]) -> str:
    """Return the README with a table of costs between its marks.

    Args:
        readme: text of the README; without the marks BEGIN and END it is returned as it is
        metrics: results/mcu/metrics.json, {core: {"network": …, "estimator": …}}; a core without "estimator"
            is left out, and without any such core the README is returned as it is
    """
    cores = {core: parts["estimator"] for core, parts in metrics.items() if "estimator" in parts}
    if BEGIN not in readme or not cores:
        return readme
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}{cost_table(cores)}{END}{rest.partition(END)[2]}"


def cost_table(cores: Mapping[str, Mapping]) -> str:
    """Return a Markdown table with one column per core and the required queue in its last rows.

    Args:
        cores: {core: measurements of the estimator}, see `tinystride.mcu.benchmark_estimator`
    """
    rows = [[what, *(f"{own[name]:,}" for own in cores.values())] for name, what in ROWS.items()]
    max_calls_s = [max_call_s(own) for own in cores.values()]
    rows.append([f"longest call at {CLOCK_HZ / 1e6:.0f} MHz, ms", *(f"{1e3 * s:.1f}" for s in max_calls_s)])
    for rate_hz in RATES_HZ:
        queues = (str(queue_samples(s, rate_hz)) for s in max_calls_s)
        rows.append([f"queue at {rate_hz} Hz, samples", *queues])
    lines = [["", *cores], ["---", *["---:"] * len(cores)], *rows]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return (
        f"{table}\nInstructions are exact, counted on emulated cores (GCC, `-Os`). Times assume "
        f"{CYCLES_PER_INSTRUCTION:g} cycles per instruction and no wait states. On another clock the longest "
        "call and the queue change in proportion.\n"
    )


def call_time_s(instructions: float) -> float:
    """Return the time of a number of instructions in s, at CLOCK_HZ and CYCLES_PER_INSTRUCTION.

    Args:
        instructions: number of instructions
    """
    return instructions * CYCLES_PER_INSTRUCTION / CLOCK_HZ


def call_energy_j(core: str, instructions: float) -> float | None:
    """Return the energy of a number of instructions in J.

    Args:
        core: name of the core, see `tinystride.mcu.cores.CORES`
        instructions: number of instructions

    Returns:
        energy, None for a core whose current is not known
    """
    if core not in CORES_OF_KNOWN_CURRENT:
        return None
    return instructions * CYCLES_PER_INSTRUCTION * AMPERE_PER_HZ * SUPPLY_V


def max_call_s(estimator: Mapping) -> float:
    """Return the duration of the longest call in s, at CLOCK_HZ.

    Args:
        estimator: measurements of the estimator on one core
    """
    worst = max(estimator["instructions_at_stride_end_worst"], estimator["instructions_per_sample_worst"])
    return call_time_s(worst)


def queue_samples(call_s: float, rate_hz: float) -> int:
    """Return the number of samples that arrive during a call, at least 1.

    Args:
        call_s: duration of the call, s
        rate_hz: sampling rate, Hz
    """
    return max(1, math.ceil(call_s * rate_hz))
