"""docs/firmware.md agrees with the header and the results."""

import re
from pathlib import Path

from tools.firmware import BEGIN, DOCUMENT, END, ROWS, costs, power

ROOT = Path(__file__).resolve().parents[2]
ESTIMATOR = {
    **dict.fromkeys(ROWS, 7),
    "instructions_per_stride": 100_000,
    "compiler": "gcc 12",
    "recordings": 6,
    "samples": 70_000,
    "strides": 300,
    "mismatches": 0,
}


def test_document_explains_every_flag_of_the_header():
    header = (ROOT / "tinystride/firmware/tinystride.h").read_text()
    flags = re.findall(r"#define TINYSTRIDE_(\w+) 0x\w+u", header)
    assert len(flags) == 13
    section = (ROOT / DOCUMENT).read_text().split("\n## Flags\n")[1].split("\n## ")[0]
    explained = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    # A second table explains some of them again, as the C raises them.
    assert list(dict.fromkeys(explained)) == flags


def test_document_names_only_functions_of_the_header():
    header = (ROOT / "tinystride/firmware/tinystride.h").read_text()
    named = set(re.findall(r"`(tinystride_\w+)`", (ROOT / DOCUMENT).read_text())) - {"tinystride_model"}
    assert len(named) >= 8
    assert [name for name in sorted(named) if not re.search(rf"\b{name}[(;]", header)] == []


def test_costs_each_core_has_a_column():
    table = costs({"cortex-m4f": {"estimator": ESTIMATOR}, "cortex-m0": {"estimator": ESTIMATOR}})
    assert "|  | cortex-m4f | cortex-m0 |" in table
    assert table.count("| 7 | 7 |") == len(ROWS) - 1 and "| 100,000 | 100,000 |" in table


def test_power_estimate_equals_its_product():
    said = power(ESTIMATOR)
    # 100,000 instructions * 1.3 cycles / 64 MHz; * 52 pC; * 3 V
    for number in ("100,000 instructions", "2.0 ms", "0.16 nJ", "20 µJ", "7 µA"):
        assert number in said


def test_document_holds_all_costs():
    text = (ROOT / DOCUMENT).read_text()
    held = text[text.index(BEGIN) : text.index(END)]
    assert all(f"| {what} | " in held for what in ROWS.values())
