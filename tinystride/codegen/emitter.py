"""Generate the C of each layer: its constants, the call that runs it, and the kernels that it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinystride.codegen import ctext, movement
from tinystride.codegen.layers import (
    Addition,
    Broadcast,
    Buffer,
    Convolution,
    Copy,
    DepthwiseConvolution,
    Dequantization,
    Layer,
    LookUp,
    Maximum,
    Mean,
    Movement,
    Network,
    Pooling,
    Quantization,
    Requantization,
    Rescaling,
    Softmax,
    Window,
)
from tinystride.codegen.memory import MemoryPlan, lifetimes, plan_memory
from tinystride.codegen.packing import (
    MAX_BLOCKS,
    choose_unroll,
    is_dense,
    is_one_dimensional,
    is_rectified,
    max_sum,
    multipliers,
    pack,
    pack_dense,
    pack_matrix,
    round_up,
)

KERNELS = [  # in the order of the C file
    "clamp",
    "scale",
    "scale_four",
    "requantize",
    "requantize_row",
    "min_i32",
    "max_i32",
    "matrix",
    "sum_row",
    "multiply_matrix",
    "window",
    "gather",
    "convolve",
    "convolve_1d",
    "dense",
    "convolve_depthwise",
    "pooling",
    "pool_max",
    "pool_average",
    "average",
    "reduce_max",
    "add",
    "broadcast",
    "rescale",
    "look_up",
    "softmax",
    "fill",
    "move",
    "quantize",
    "dequantize",
    "copy",
]
SUMS = ["requantize_row", "matrix", "sum_row"]  # kernels of a product with a matrix, with MVE
MATRIX = [*SUMS, "multiply_matrix"]
DENSE_UNROLL, MIN_UNROLLED_WEIGHTS = 4, 100_000  # a longer loop body saves instructions in large dense layers
BROADCAST_LOOPS = 4
STATE_ALIGNMENT = 4


@dataclass
class LayerCode:
    """C of one layer.

    Attributes:
        kernels: needed on every core, see KERNELS
        constants: definitions of constants
        call: call of the kernel, with placeholders for buffers: {0}, {1} inputs, {out}, {scratch}
        scratch_bytes: working memory of the call
        narrow_kernels: needed on cores whose products have 32 bits
        vector_kernels: needed on cores with MVE
        scalar_kernels: needed on cores without MVE
        plain_kernels: needed on cores with neither MVE nor DSP instructions
    """

    kernels: list[str]
    constants: list[str]
    call: str
    scratch_bytes: int = 0
    narrow_kernels: list[str] = field(default_factory=list)
    vector_kernels: list[str] = field(default_factory=list)
    scalar_kernels: list[str] = field(default_factory=list)
    plain_kernels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Variants:
    """The features that the kernels of a network need; code for other features is left out.

    Attributes:
        unroll: steps in one loop pass of the 1D convolution's inner kernel
        pack_unroll: pairs of weights in one loop pass that packs them
        even_words: whether the weights of every two channels of 1D convolutions are whole 32-bit words
        dense_unroll: groups of eight inputs in one loop pass of the dense kernel
        dense_rest: whether inputs remain after these loop passes
        blocks: {id of a 1D convolution: number of blocks of time steps}
        rectified: whether all 1D convolutions end in a ReLU onto the whole int8 range
        pools: sizes of the max-poolings merged into 1D convolutions, 1 for no pooling
        passes: whether a 1D convolution has to empty its fields between runs of words
        spans: whether a dense layer has to empty its sums between runs of inputs
        one_multiplier: whether all outputs of each dense layer have the same multiplier
        exact_halves: whether twice any sum fits in 32 bits and all factors are below 1
        left_shifts: whether a factor is 1 or larger
        full_range: whether all outputs are clamped to the whole int8 range
        rescalings: (function, type of its input, type of its output)
        operations: operations on tensors that are broadcast to one shape
    """

    unroll: int
    pack_unroll: int
    even_words: bool
    dense_unroll: int
    dense_rest: bool
    blocks: dict[int, int]
    rectified: bool
    pools: list[int]
    passes: bool
    spans: bool
    one_multiplier: bool
    exact_halves: bool
    left_shifts: bool
    full_range: bool
    rescalings: list[tuple[str, str, str]]
    operations: list[str]


@dataclass
class Emitted:
    """A network in C, as the parts that the templates join.

    Attributes:
        network: lowered network
        plan: memory plan
        variants: variants of the kernels
        kernels: (name, condition of the C preprocessor under which it is needed, or "")
        constants: definitions of constants
        calls: calls of the kernels, in the order of execution
        resets: statements that give the state its initial values
        state_bytes: size of the state, 0 without state
    """

    network: Network
    plan: MemoryPlan
    variants: Variants
    kernels: list[tuple[str, str]]
    constants: list[str]
    calls: list[str]
    resets: list[str]
    state_bytes: int


def _pool(layer: Convolution) -> int:
    return layer.pool[0] if layer.pool else 1


def _choose_variants(layers: Sequence[Layer]) -> Variants:
    weighted = [layer for layer in layers if isinstance(layer, Convolution)]
    packed = [layer for layer in weighted if is_one_dimensional(layer)]
    dense = [layer for layer in weighted if is_dense(layer)]
    unroll = choose_unroll(packed)
    with_channels = [layer for layer in layers if isinstance(layer, Convolution | DepthwiseConvolution)]
    shifts = [m.shift for layer in layers for m in multipliers(layer)]
    packings = [pack(layer, unroll, 1) for layer in packed]
    dense_packings = [pack_dense(layer) for layer in dense]
    dense_sizes = [n for packing in dense_packings for n in (packing.padded_size, packing.span)]
    dense_unroll = DENSE_UNROLL if sum(layer.weights.size for layer in dense) >= MIN_UNROLLED_WEIGHTS else 1
    return Variants(
        unroll,
        next(count for count in (2, 1) if all(packing.paired % count == 0 for packing in packings)),
        all((packing.words - packing.paired) % 2 == 0 for packing in packings),
        dense_unroll,
        any(size % (8 * dense_unroll) for size in dense_sizes),
        _choose_blocks(layers, packed, unroll),
        all(is_rectified(layer) for layer in packed),
        sorted({_pool(layer) for layer in packed}),
        any(packing.spans.min() < packing.packed_words for packing in packings),
        any(packing.span < packing.padded_size for packing in dense_packings),
        all(len(set(layer.requantization.multipliers)) == 1 for layer in dense),
        all(max_sum(layer) < 1 << 30 for layer in with_channels) and max(shifts, default=0) <= 0,
        max(shifts, default=0) > 0,
        all((layer.requantization.low, layer.requantization.high) == (-128, 127) for layer in with_channels),
        sorted({_rescaling_function(layer) for layer in layers if isinstance(layer, Rescaling)}),
        sorted({layer.operation for layer in layers if isinstance(layer, Broadcast)}),
    )


def _choose_blocks(layers: Sequence[Layer], packed: list[Convolution], unroll: int) -> dict[int, int]:
    """Return for each 1D convolution, by id, the smallest number of blocks that minimizes the memory.

    More blocks cost instructions, because weights are packed again for each block, and save packed input
    words.
    """
    lives = lifetimes(layers).values()
    needs = {}
    for index, layer in enumerate(layers):
        alive = sum(round_up(buffer.size, 4) for buffer, first, last in lives if first <= index <= last)
        needs[id(layer)] = {1: alive}
        if isinstance(layer, Convolution) and layer in packed:
            needs[id(layer)] = {
                count: alive + pack(layer, unroll, count).scratch_bytes for count in range(1, MAX_BLOCKS + 1)
            }
    enough = max((min(need.values()) for need in needs.values()), default=0)
    return {
        id(layer): next(count for count, need in needs[id(layer)].items() if need <= enough)
        for layer in packed
    }


# Parts of constants.


def _quantization_macros(
    layer: Layer, input_zero_point: int, requantization: Requantization
) -> tuple[str, list[str]]:
    """Return the macros of a layer's quantization (zero points, bounds) and their names."""
    upper = layer.name.upper()
    values = {
        f"{upper}_INPUT_ZERO_POINT": input_zero_point,
        f"{upper}_OUTPUT_ZERO_POINT": requantization.zero_point,
        f"{upper}_LOW": requantization.low,
        f"{upper}_HIGH": requantization.high,
    }
    return "\n".join(ctext.macro(name, value) for name, value in values.items()), list(values)


def _channel_arrays(
    layer: Convolution | DepthwiseConvolution, weights: str, bias: np.ndarray
) -> tuple[list[str], tuple[list, str]]:
    """Return the arrays of a layer with weights and the line of its structure that names them."""
    factors = layer.requantization.multipliers
    name = layer.name
    arrays = [
        weights,
        ctext.array("int32_t", f"{name}_bias", bias),
        ctext.array("int32_t", f"{name}_multiplier", np.array([m.mantissa for m in factors])),
        ctext.array("int8_t", f"{name}_shift", np.array([m.shift for m in factors])),
    ]
    names = ("weights", "bias", "multiplier", "shift")
    return arrays, ([f"{name}_{what}" for what in names], ", ".join(names))


def _weight_array(layer: Layer, values: np.ndarray, ctype: str = "int8_t") -> str:
    return ctext.array(ctype, f"{layer.name}_weights", values, " * ".join(str(n) for n in values.shape))


def _window_lines(window: Window) -> list[tuple[list, str]]:
    return [
        ([*window.kernel, *window.stride], "kernel, stride: height, width"),
        ([*window.dilation, *window.pad], "dilation, padding before: height, width"),
    ]


def _window(layer: Convolution | DepthwiseConvolution, zero_point: str, depth: int) -> list[tuple[list, str]]:
    window = layer.window
    sizes = ([*window.input, depth, *window.output], "input: height, width, channels; output: height, width")
    return [ctext.OPEN, sizes, *_window_lines(window), ([zero_point], "outside of the input"), ctext.CLOSE]


def _matrix(layer: Convolution, weights: np.ndarray, names: list[str]) -> tuple[list, list[str]]:
    """Return the members of a matrix_t with its weights [channels, row] and the arrays that they name."""
    arrays, pointers = _channel_arrays(layer, _weight_array(layer, weights), _without_input_offset(layer))
    size = layer.weights.size // len(layer.weights)
    sizes = ([*weights.shape[:1], size, weights.shape[1]], "channels, weights of each, bytes of a row")
    return [ctext.OPEN, sizes, (names[1:], "quantization"), pointers, ctext.CLOSE], arrays


def _without_input_offset(layer: Convolution | DepthwiseConvolution) -> np.ndarray:
    """Return the bias minus input zero point times weights, so that inputs are used as they are stored."""
    axes = (1, 2, 3) if isinstance(layer, Convolution) else (0, 1)
    return layer.bias - layer.input_zero_point * layer.weights.astype(np.int64).sum(axis=axes)


def _requantizing(variants: Variants) -> dict[str, list[str]]:
    """Return the kernels that convert single sums to int8, by field of LayerCode."""
    if not variants.exact_halves:
        return {"scalar_kernels": ["requantize", "scale", "clamp"]}
    clamping = [] if variants.full_range else ["clamp"]
    return {"scalar_kernels": ["requantize", *clamping], "plain_kernels": ["scale", "clamp"]}


def _with_vectors(vectors: list[str], others: list[str]) -> list[str]:
    """Return constants of a layer in two layouts: with MVE and without it."""
    return ["#ifdef USE_MVE", *vectors, "#else", *others, "#endif"]


def _vector_constants(
    layer: Convolution, ctype: str, names: list[str], members: list, one_multiplier: bool = False
) -> list[str]:
    """Return the arrays and the structure of a layer for cores with MVE; weights stay in order."""
    matrix, arrays = _matrix(layer, layer.weights.reshape(len(layer.weights), -1), names)
    if one_multiplier:
        factor = layer.requantization.multipliers[0]
        *before, (pointers, _), after = matrix
        matrix = [*before, ([*pointers[:2], "NULL", "NULL"], "weights, bias"), after]
        matrix.append(([factor.mantissa, factor.shift], "multiplier, shift"))
        arrays = arrays[:2]
    return [*arrays, ctext.structure(ctype, f"{layer.name}_layer", [*members, *matrix])]


# Layers.


def _convolution(layer: Convolution, variants: Variants) -> LayerCode:
    if is_dense(layer):
        return _dense(layer, variants)
    if is_one_dimensional(layer):
        return _convolution_1d(layer, variants)
    packing = pack_matrix(layer)
    macros, names = _quantization_macros(layer, layer.input_zero_point, layer.requantization)
    matrix, arrays = _matrix(layer, packing.weights, names)
    members = [*_window(layer, names[0], layer.weights.shape[-1]), *matrix]
    struct = ctext.structure("convolution_t", f"{layer.name}_layer", members)
    call = f"convolve(&{layer.name}_layer, {{0}}, {{out}}, {{scratch}})"
    return LayerCode(
        ["clamp", "matrix", "window", "gather", "convolve"],
        [macros, *arrays, struct],
        call,
        packing.scratch_bytes,
        vector_kernels=MATRIX,
        **_requantizing(variants),
    )


def _convolution_1d(layer: Convolution, variants: Variants) -> LayerCode:
    window, (channels, _, _, depth) = layer.window, layer.weights.shape
    packing = pack(layer, variants.unroll, variants.blocks[id(layer)])
    macros, names = _quantization_macros(layer, layer.input_zero_point, layer.requantization)
    arrays, pointers = _channel_arrays(
        layer,
        _weight_array(layer, packing.weights).replace("] = {", "] WHOLE_WORDS = {"),
        _without_input_offset(layer),
    )
    lines: list[tuple[list, str]] = [
        ([window.input[1], depth], "steps and channels of the input"),
        ([window.stride[1], window.pad[1]], "stride, steps of padding before"),
        ([window.output[1], channels], "steps and channels of the output"),
    ]
    if len(variants.pools) > 1:
        lines.append(([_pool(layer)], "pool"))
    if variants.pools != [1]:
        lines.append(([layer.pool[1] if layer.pool else window.output[1]], "pooled steps"))
    lines.append((names[:1] if variants.rectified else names, "quantization"))
    lines.append(([packing.words, packing.paired, packing.packed_words], "words, paired and packed ones"))
    blocks = [packing.blocks, packing.block, packing.first, packing.rows]
    lines.append((blocks, "blocks, accumulators in a block, the first one, rows"))
    lines.append(pointers)
    if variants.passes:
        arrays.append(ctext.array("int16_t", f"{layer.name}_span", packing.spans))
        lines.append(([f"{layer.name}_span"], "span"))
    struct = ctext.structure("convolution_1d_t", f"{layer.name}_layer", lines)
    members = _window(layer, names[0], depth)
    if variants.pools != [1]:
        steps = layer.pool[1] if layer.pool else window.output[1]
        members.append(([_pool(layer), steps], "pool, pooled steps"))
    vectors = _vector_constants(layer, "convolution_1d_t", names, members)
    call = f"convolve_1d(&{layer.name}_layer, {{0}}, {{out}}, {{scratch}})"
    requantizing = ["clamp", "scale"]  # cores with 64-bit products use a shorter form for ReLU
    return LayerCode(
        ["convolve_1d"],
        [macros, *_with_vectors(vectors, [*arrays, struct])],
        call,
        packing.scratch_bytes,
        requantizing * variants.rectified,
        ["clamp", *(MATRIX if variants.pools == [1] else SUMS), "window", "gather"],
        ["max_i32"] * (variants.pools != [1]) + requantizing * (not variants.rectified),
    )


def _dense(layer: Convolution, variants: Variants) -> LayerCode:
    packing = pack_dense(layer)
    macros, names = _quantization_macros(layer, layer.input_zero_point, layer.requantization)
    arrays, pointers = _channel_arrays(layer, _weight_array(layer, packing.weights, "int16_t"), packing.bias)
    if variants.one_multiplier:
        multiplier = layer.requantization.multipliers[0]
        arrays, pointers = (
            arrays[:2],
            ([*pointers[0][:2], multiplier.mantissa, multiplier.shift], pointers[1]),
        )
    struct = ctext.structure(
        "dense_t",
        f"{layer.name}_layer",
        [
            ([layer.inputs[0].size, layer.output.size], "sizes of input and output"),
            ([packing.padded_size] + [packing.span] * variants.spans, "size of the prepared input"),
            (names[1:], "quantization"),
            pointers,
        ],
    )
    call = f"dense(&{layer.name}_layer, {{0}}, {{out}}, {{scratch}})"
    vectors = _vector_constants(layer, "dense_t", names, [], variants.one_multiplier)
    constants = [macros, *_with_vectors(vectors, [*arrays, struct])]
    return LayerCode(
        ["dense"],
        constants,
        call,
        2 * packing.padded_size,
        vector_kernels=SUMS if variants.one_multiplier else MATRIX,
        **_requantizing(variants),
    )


def _depthwise(layer: DepthwiseConvolution, variants: Variants) -> LayerCode:
    macros, names = _quantization_macros(layer, layer.input_zero_point, layer.requantization)
    weights = _weight_array(layer, layer.weights)
    arrays, pointers = _channel_arrays(layer, weights, _without_input_offset(layer))
    depth = layer.weights.shape[-1] // layer.depth_multiplier
    members = [
        *_window(layer, names[0], depth),
        ([layer.depth_multiplier], "depth multiplier"),
        (names[1:], "quantization"),
        pointers,
    ]
    struct = ctext.structure("depthwise_t", f"{layer.name}_layer", members)
    call = f"convolve_depthwise(&{layer.name}_layer, {{0}}, {{out}}, {{scratch}})"
    scratch_bytes = layer.weights[..., :depth].size  # of one window
    return LayerCode(
        ["clamp", "window", "gather", "convolve_depthwise"],
        [macros, *arrays, struct],
        call,
        scratch_bytes,
        vector_kernels=["requantize_row", "min_i32", "requantize", "scale"],
        **_requantizing(variants),
    )


def _pooling(layer: Pooling, _variants: Variants) -> LayerCode:
    window = layer.window
    struct = ctext.structure(
        "pooling_t",
        f"{layer.name}_layer",
        [
            ([*window.input, layer.channels], "input: height, width, channels"),
            ([*window.output], "output: height, width"),
            ([*window.kernel, *window.stride, *window.pad], "window, stride, padding before: height, width"),
            ([layer.low, layer.high], "bounds"),
        ],
    )
    kernel = f"pool_{layer.mode}"
    call = f"{kernel}(&{layer.name}_layer, {{0}}, {{out}})"
    return LayerCode(["clamp", "min_i32", "max_i32", "pooling", kernel], [struct], call)


def _mean(layer: Mean, _variants: Variants) -> LayerCode:
    struct = ctext.structure(
        "mean_t",
        f"{layer.name}_layer",
        [
            ([layer.outer, layer.count, layer.inner], "outer, count, inner"),
            ([layer.input_zero_point, layer.output_zero_point], "zero points of input, output"),
            ([layer.multiplier.mantissa, layer.multiplier.shift], "multiplier, shift"),
        ],
    )
    return LayerCode(["clamp", "scale", "average"], [struct], f"average(&{layer.name}_layer, {{0}}, {{out}})")


def _addition(layer: Addition, _variants: Variants) -> LayerCode:
    requantization, (output,) = layer.requantization, layer.requantization.multipliers
    operands = [
        ([zero_point, multiplier.mantissa, multiplier.shift], f"{which}: zero point, multiplier, shift")
        for zero_point, multiplier, which in zip(
            layer.zero_points, layer.multipliers, ("first", "second"), strict=True
        )
    ]
    struct = ctext.structure(
        "addition_t",
        f"{layer.name}_layer",
        [
            ([layer.output.size], "size"),
            *operands,
            (
                [requantization.zero_point, output.mantissa, output.shift],
                "output: zero point, multiplier, shift",
            ),
            ([requantization.low, requantization.high], "bounds"),
        ],
    )
    return LayerCode(
        ["clamp", "scale", "add"],
        [struct],
        f"add(&{layer.name}_layer, {{0}}, {{1}}, {{out}})",
        vector_kernels=["scale_four"],
    )


def _rescaling_function(layer: Rescaling) -> tuple[str, str, str]:
    source, target = layer.inputs[0].ctype, layer.output.ctype
    suffix = "_from_uint8" if source == "uint8_t" else "_to_uint8" if target == "uint8_t" else ""
    return f"rescale{suffix}", source, target


def _rescaling(layer: Rescaling, _variants: Variants) -> LayerCode:
    requantization, (multiplier,) = layer.requantization, layer.requantization.multipliers
    struct = ctext.structure(
        "rescaling_t",
        f"{layer.name}_layer",
        [
            ([layer.output.size, layer.input_zero_point], "size, zero point of input"),
            ([multiplier.mantissa, multiplier.shift], "multiplier, shift"),
            (
                [requantization.zero_point, requantization.low, requantization.high],
                "output: zero point, bounds",
            ),
        ],
    )
    call = f"{_rescaling_function(layer)[0]}(&{layer.name}_layer, {{0}}, {{out}})"
    return LayerCode(["clamp", "scale", "rescale"], [struct], call)


def _float_edge(layer: Quantization | Dequantization, _variants: Variants) -> LayerCode:
    kernels = ["clamp", "quantize"] if isinstance(layer, Quantization) else ["dequantize"]
    upper = layer.name.upper()
    macros = [
        ctext.macro(f"{upper}_SCALE", ctext.single(layer.scale)),
        ctext.macro(f"{upper}_ZERO_POINT", layer.zero_point),
    ]
    call = f"{kernels[-1]}({{0}}, {{out}}, {layer.output.size}, {upper}_SCALE, {upper}_ZERO_POINT)"
    return LayerCode(kernels, ["\n".join(macros)], call)


def _copy(layer: Copy, _variants: Variants) -> LayerCode:
    bytes_each = 4 if layer.output.ctype == "float" else 1
    return LayerCode(["copy"], [], f"copy({{0}}, {{out}}, {layer.output.size * bytes_each})")


def _look_up(layer: LookUp, _variants: Variants) -> LayerCode:
    table = ctext.array("int8_t", f"{layer.name}_table", layer.table)
    return LayerCode(
        ["look_up"], [table], f"look_up({layer.name}_table, {{0}}, {{out}}, {layer.output.size})"
    )


def _softmax(layer: Softmax, _variants: Variants) -> LayerCode:
    name = f"{layer.name}_exponentials"
    rows = layer.output.size // layer.depth
    struct = ctext.structure(
        "softmax_t",
        f"{layer.name}_layer",
        [([rows, layer.depth, len(layer.exponentials), name], "rows, depth, exponentials")],
    )
    constants = [ctext.array("int32_t", name, layer.exponentials), struct]
    return LayerCode(["softmax"], constants, f"softmax(&{layer.name}_layer, {{0}}, {{out}})")


def _movement(layer: Movement, _variants: Variants) -> LayerCode:
    kernels, constants, calls = [], [], []
    if layer.fill is not None:
        kernels.append("fill")
        calls.append(f"fill({{out}}, {layer.fill}, {layer.output.size})")
    for number, run in enumerate(layer.runs):
        ends = f"{{{number}}} + {run.source_offset}, {{out}} + {run.target_offset}".replace(" + 0", "")
        if run.contiguous:
            kernels.append("copy")
            calls.append(f"copy({ends}, {run.sizes[0]})")
            continue
        kernels.append("move")
        outer = [1] * (movement.MAX_RANK - len(run.sizes))
        name = f"{layer.name}_loops" + (f"_{number + 1}" if len(layer.runs) > 1 else "")
        values = [
            ([f"{{{', '.join(str(n) for n in outer + each)}}}"], comment)
            for each, comment in (
                (run.sizes, "sizes"),
                (run.source_strides, "steps in the input"),
                (run.target_strides, "steps in the output"),
            )
        ]
        constants.append(ctext.structure("move_t", name, values))
        calls.append(f"move(&{name}, {ends})")
    return LayerCode(kernels, constants, ";\n    ".join(calls))


def _broadcast(layer: Broadcast, _variants: Variants) -> LayerCode:
    requantization, (output,) = layer.requantization, layer.requantization.multipliers
    outer = [1] * (BROADCAST_LOOPS - len(layer.sizes))

    def loops(values: list[int]) -> list[int | str]:
        return [f"{{{', '.join(str(n) for n in outer + values)}}}"]

    lines: list[tuple[list, str]] = [(loops(layer.sizes), "sizes of the loops")]
    lines += [(loops(strides), "steps of an input") for strides in layer.strides]
    lines += [
        ([zero_point, multiplier.mantissa, multiplier.shift], "input: zero point, multiplier, shift")
        for zero_point, multiplier in zip(layer.zero_points, layer.multipliers, strict=True)
    ]
    values = [requantization.zero_point, output.mantissa, output.shift]
    lines.append((values, "output: zero point, multiplier, shift"))
    lines.append(([requantization.low, requantization.high], "bounds"))
    struct = ctext.structure("broadcast_t", f"{layer.name}_layer", lines)
    call = f"{layer.operation}_broadcast(&{layer.name}_layer, {{0}}, {{1}}, {{out}})"
    scaling = ["scale"] * (layer.operation not in ("maximum", "minimum"))
    return LayerCode(["clamp", *scaling, "broadcast"], [struct], call)


def _maximum(layer: Maximum, _variants: Variants) -> LayerCode:
    call = f"reduce_max({{0}}, {{out}}, {layer.outer}, {layer.count}, {layer.inner})"
    return LayerCode(["reduce_max"], [], call)


EMITTERS: dict[type[Layer], Callable[[Any, Variants], LayerCode]] = {
    Convolution: _convolution,
    DepthwiseConvolution: _depthwise,
    Pooling: _pooling,
    Mean: _mean,
    Addition: _addition,
    Rescaling: _rescaling,
    Quantization: _float_edge,
    Dequantization: _float_edge,
    Copy: _copy,
    LookUp: _look_up,
    Softmax: _softmax,
    Movement: _movement,
    Broadcast: _broadcast,
    Maximum: _maximum,
}


def _place(buffer: Buffer, plan: MemoryPlan, state: dict[int, int]) -> str:
    if buffer.place == "state":
        return f"state->values + {state[id(buffer)]}"
    if buffer.place == "memory":
        return f"memory + {plan.buffers[id(buffer)].offset}"
    return buffer.name if buffer.place == "constant" else buffer.place


def _conditions(codes: list[LayerCode]) -> list[tuple[str, str]]:
    """Return the kernels that layers need, in the order of the file, with the condition for each."""
    names = {
        "defined(NARROW_PRODUCTS)": "narrow_kernels",
        "defined(USE_MVE)": "vector_kernels",
        "!defined(USE_MVE)": "scalar_kernels",
        "!(defined(USE_MVE) || defined(USE_DSP))": "plain_kernels",
    }
    needed = {
        name: {k for code in codes for k in getattr(code, name)} for name in ("kernels", *names.values())
    }
    everywhere = needed["kernels"] | (needed["vector_kernels"] & needed["scalar_kernels"])
    needed["plain_kernels"] -= needed["scalar_kernels"]
    kernels = []
    for kernel in KERNELS:
        conditions = [condition for condition, name in names.items() if kernel in needed[name]]
        if kernel in everywhere or conditions:
            kernels.append((kernel, "" if kernel in everywhere else " || ".join(conditions)))
    return kernels


def state_offsets(network: Network) -> tuple[dict[int, int], int]:
    """Return the place of each variable in the state.

    Args:
        network: lowered network

    Returns:
        {id of the variable's buffer: offset in bytes}, and the size of the whole state in bytes
    """
    offsets, end = {}, 0
    for buffer in network.state:
        offsets[id(buffer)] = end
        end += round_up(buffer.size, STATE_ALIGNMENT)
    return offsets, end


def _resets(network: Network, offsets: dict[int, int]) -> LayerCode:
    """Return the statements that set initial values: one byte value everywhere, or those of a constant."""
    code = LayerCode([], [], "")
    calls = []
    for number, buffer in enumerate(network.state, 1):
        place, values = f"state->values + {offsets[id(buffer)]}", buffer.values
        if (values == values[0]).all():
            code.kernels.append("fill")
            calls.append(f"fill({place}, {values[0]}, {buffer.size});")
        else:
            code.kernels.append("copy")
            code.constants.append(ctext.array("int8_t", f"first_values_{number}", values))
            calls.append(f"copy(first_values_{number}, {place}, {buffer.size});")
    code.call = "\n".join(calls)
    return code


def emit(network: Network) -> Emitted:
    """Generate the C of a network and plan its memory.

    Args:
        network: lowered network

    Returns:
        the parts that the templates join
    """
    layers = network.layers
    variants = _choose_variants(layers)
    codes = [EMITTERS[type(layer)](layer, variants) for layer in layers]
    plan = plan_memory(layers, [code.scratch_bytes for code in codes])
    state, state_bytes = state_offsets(network)
    reset = _resets(network, state)
    constants, calls = [], []
    for buffer in dict.fromkeys(buffer for layer in layers for buffer in layer.inputs):
        if buffer.place == "constant":
            constants.append(ctext.array(buffer.ctype, buffer.name, buffer.values))
    for layer, code in zip(layers, codes, strict=True):
        constants += [f"/* {layer.name}: {layer.shapes} */", *code.constants]
        places = [_place(buffer, plan, state) for buffer in layer.inputs]
        scratch = f"scratch + {plan.scratch[id(layer)].offset // 4}" if code.scratch_bytes else ""
        call = code.call.format(*places, out=_place(layer.output, plan, state), scratch=scratch)
        calls += [f"/* {layer.name}: {layer.shapes} */", f"{call};"]
    constants += reset.constants
    kernels = _conditions([*codes, reset])
    return Emitted(network, plan, variants, kernels, constants, calls, reset.call.splitlines(), state_bytes)
