"""Buffers in use at the same time share no byte; plans need no more memory than necessary."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codegen.networks import BUILT, network
from tinystride.codegen import export_model
from tinystride.codegen.emitter import emit
from tinystride.codegen.lowering import lower
from tinystride.codegen.memory import Block, place
from tinystride.codegen.reader import parse_graph

blocks = st.lists(
    st.tuples(st.integers(1, 200), st.integers(0, 8), st.integers(0, 4)).map(
        lambda b: Block("block", size=b[0], first=b[1], last=b[1] + b[2])
    ),
    max_size=12,
)


def assert_no_overlap(placed: list[Block]) -> None:
    for one, other in itertools.combinations(placed, 2):
        together = one.first <= other.last and other.first <= one.last
        overlap = one.offset < other.offset + other.size and other.offset < one.offset + one.size
        assert not (together and overlap), (one, other)


@given(blocks)
def test_place_random_blocks_do_not_overlap(generated):
    place(generated)
    assert_no_overlap(generated)
    assert all(block.offset % 4 == 0 for block in generated)


@pytest.mark.parametrize("name", [*BUILT, "paper", "tiny", "residual"])
def test_plan_memory_networks_need_no_more_than_expected(name):
    emitted = emit(lower(parse_graph(network(name), name)))
    plan = emitted.plan
    assert all(one.can_coexist_with(other) for one, other in itertools.combinations(plan.blocks, 2))
    layers = emitted.network.layers
    # Lifetimes, recomputed from the layers: a buffer lives from its writer to its last reader.
    for index, layer in enumerate(layers):
        for buffer in layer.inputs:
            if buffer.place == "memory":
                block = plan.buffers[id(buffer)]
                assert block.first < index <= block.last and block.size == buffer.size
        if layer.output.place == "memory":
            assert plan.buffers[id(layer.output)].first == index
        if id(layer) in plan.scratch:
            assert plan.scratch[id(layer)].first == plan.scratch[id(layer)].last == index
    needed = [
        sum(block.size for block in plan.blocks if block.first <= index <= block.last)
        for index in range(len(layers))
    ]
    assert plan.size <= max(needed) * 1.05 + 16


def test_export_source_describes_the_memory_plan(tmp_path):
    (tmp_path / "model.tflite").write_bytes(network("residual"))
    export_model(tmp_path / "model.tflite", tmp_path / "c", prefix="peer")
    source = (tmp_path / "c" / "peer.c").read_text()
    total = int(re.search(r"Working memory, (\d+) bytes", source)[1])
    spans = re.findall(r"^ \* +(\d+)\.\.(\d+) +(\d+)\.\.(\d+) +\w+", source, re.MULTILINE)
    planned = [Block("", int(end) - int(start) + 1, int(a), int(b), int(start)) for start, end, a, b in spans]
    assert len(planned) >= 5
    assert_no_overlap(planned)
    assert total - 4 < max(block.end for block in planned) <= total
