"""Write flash, RAM, instructions and power of the estimator, from results/mcu, into docs/firmware.md."""

from pathlib import Path

from tinystride.codegen.costs import AMPERE_PER_HZ, CYCLES_PER_INSTRUCTION, SENSOR_MICROAMPERE, SUPPLY_V
from tinystride.files import read_json
from tools.documents import replace_section, table

DOCUMENT = Path("docs/firmware.md")
BEGIN, END = "<!-- costs: begin -->", "<!-- costs: end -->"
ROWS = {
    "flash_bytes": "flash, bytes: front end, network, mathematics",
    "static_bytes": "RAM, bytes: `tinystride_t`, nothing else is static",
    "stack_bytes": "stack, bytes, deepest call",
    "instructions_per_sample": "instructions a sample, mean",
    "instructions_per_sample_worst": "instructions a sample, worst outside a stride's end",
    "instructions_at_stride_end": "instructions at a stride's end, mean",
    "instructions_at_stride_end_worst": "instructions at a stride's end, worst",
    "instructions_per_stride": "instructions a stride of 1 s at 100 Hz",
    "share_of_64_mhz_percent": "share of a 64 MHz core, %",
    "latency_s": "from mid-stance to result, s, mean",
    "latency_worst_s": "from mid-stance to result, s, worst",
}


def number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def cost_table(cores: dict) -> str:
    """Return a table with a row for each of ROWS and a column for each core."""
    counted = {core: parts["estimator"] for core, parts in cores.items() if "estimator" in parts}
    rows = [[what, *(number(own[name]) for own in counted.values())] for name, what in ROWS.items()]
    return table(["", *counted], rows, ["---", *["---:"] * len(counted)])


def power(estimator: dict) -> str:
    """Return the estimated time and charge of a stride, with all assumptions."""
    instructions = estimator["instructions_per_stride"]
    cycles = instructions * CYCLES_PER_INSTRUCTION
    charge_uc = cycles * AMPERE_PER_HZ * 1e6
    return (
        f"A stride takes {instructions:,} instructions. With {CYCLES_PER_INSTRUCTION:g} cycles each (an "
        f"assumption: CoreMark from cached flash) this takes {cycles / 64e3:.1f} ms of a 64 MHz core. With "
        f"{AMPERE_PER_HZ * 1e12:g} µA/MHz at {SUPPLY_V:g} V (nRF52840) a cycle takes "
        f"{AMPERE_PER_HZ * SUPPLY_V * 1e9:.2f} nJ and a stride {charge_uc * SUPPLY_V:.0f} µJ. At one stride "
        f"a second this is {charge_uc:.0f} µA; the sensor itself takes about {SENSOR_MICROAMPERE} µA. "
        "Reading the sensor, radio and sleep are not included."
    )


def costs(cores: dict) -> str:
    """Return the table, the number of strides it comes from, and the power of the first core."""
    first = next(iter(cores.values()))["estimator"]
    streamed = (
        f"From {first['recordings']} recordings, {first['samples']:,} samples, {first['strides']:,} strides; "
        f"`{first['compiler']}`, `-Os`. {first['mismatches']} strides differ from those of the same C on a "
        "computer."
    )
    return "\n\n".join([cost_table(cores), streamed, power(first)])


def main() -> None:
    replace_section(DOCUMENT, BEGIN, END, costs(read_json("results/mcu/metrics.json")))


if __name__ == "__main__":
    main()
