"""From layers to the text of a C file: constants and calls, and the kernels that they need."""

from dataclasses import dataclass, field
from functools import cache

import jinja2
import numpy as np

from tinystride.codegen import ctext
from tinystride.codegen.layers import (
    Addition,
    Buffer,
    Convolution,
    Copy,
    DepthwiseConvolution,
    Dequantization,
    Layer,
    Mean,
    Network,
    Pooling,
    Quantization,
    Rescaling,
    Window,
)
from tinystride.codegen.memory import MemoryPlan, plan_memory

KERNELS = [  # in the order of the C file
    "requantize",
    "window",
    "convolve",
    "convolve_depthwise",
    "pool_max",
    "pool_average",
    "average",
    "add",
    "rescale",
    "quantize",
    "dequantize",
    "copy",
]


@dataclass
class LayerCode:
    """C of one layer; `call` has the places of its buffers still open."""

    kernels: list[str]
    constants: list[str]
    call: str
    scratch_bytes: int = 0


@dataclass
class Emitted:
    """A network in C: the parts that the templates put together."""

    network: Network
    plan: MemoryPlan
    kernels: list[str]
    constants: list[str]
    calls: list[str]
    rescalings: list[tuple[str, str, str]] = field(default_factory=list)


def _geometry(window: Window) -> list[tuple[list, str]]:
    return [
        ([*window.kernel, *window.stride], "kernel and stride: height, width"),
        ([*window.dilation, *window.pad], "dilation and padding before: height, width"),
    ]


def _requantized(layer: Layer, input_zero_point: int) -> tuple[list[str], list[str]]:
    """Macros of a layer's quantization, and their names."""
    upper, requantization = layer.name.upper(), layer.requantization
    values = {
        f"{upper}_INPUT_ZERO_POINT": input_zero_point,
        f"{upper}_OUTPUT_ZERO_POINT": requantization.zero_point,
        f"{upper}_LOW": requantization.low,
        f"{upper}_HIGH": requantization.high,
    }
    return [ctext.macro(name, value) for name, value in values.items()], list(values)


def _per_channel(layer, extent: str) -> list[str]:
    multipliers = layer.requantization.multipliers
    return [
        ctext.array("int8_t", f"{layer.name}_weights", layer.weights, extent),
        ctext.array("int32_t", f"{layer.name}_bias", layer.bias),
        ctext.array("int32_t", f"{layer.name}_multiplier", np.array([m.mantissa for m in multipliers])),
        ctext.array("int8_t", f"{layer.name}_shift", np.array([m.shift for m in multipliers])),
    ]


def _channel_arrays(layer) -> tuple[list[str], str]:
    names = ["weights", "bias", "multiplier", "shift"]
    return [f"{layer.name}_{name}" for name in names], ", ".join(names)


def _extent(weights: np.ndarray) -> str:
    return " * ".join(str(n) for n in weights.shape)


def _convolution(layer: Convolution) -> LayerCode:
    window, (out_channels, *_, in_channels) = layer.window, layer.weights.shape
    macros, names = _requantized(layer, layer.input_zero_point)
    struct = ctext.structure(
        "convolution_t",
        f"{layer.name}_layer",
        [
            (
                [*window.input, in_channels, *window.output, out_channels],
                "height, width, channels of input, output",
            ),
            *_geometry(window),
            (names, "quantization"),
            _channel_arrays(layer),
        ],
    )
    constants = ["\n".join(macros), *_per_channel(layer, _extent(layer.weights)), struct]
    return LayerCode(["requantize", "convolve"], constants, f"convolve(&{layer.name}_layer, {{0}}, {{out}})")


def _depthwise(layer: DepthwiseConvolution) -> LayerCode:
    window = layer.window
    macros, names = _requantized(layer, layer.input_zero_point)
    struct = ctext.structure(
        "depthwise_t",
        f"{layer.name}_layer",
        [
            (
                [*window.input, layer.weights.shape[-1] // layer.depth_multiplier, layer.depth_multiplier],
                "input: height, width, channels; depth multiplier",
            ),
            ([*window.output], "output: height, width"),
            *_geometry(window),
            (names, "quantization"),
            _channel_arrays(layer),
        ],
    )
    constants = ["\n".join(macros), *_per_channel(layer, _extent(layer.weights)), struct]
    call = f"convolve_depthwise(&{layer.name}_layer, {{0}}, {{out}})"
    return LayerCode(["requantize", "convolve_depthwise"], constants, call)


def _pooling(layer: Pooling) -> LayerCode:
    window = layer.window
    struct = ctext.structure(
        "pooling_t",
        f"{layer.name}_layer",
        [
            (
                [*window.input, layer.channels, *window.output],
                "height, width, channels of input; height, width of output",
            ),
            ([*window.kernel, *window.stride, *window.pad], "window, stride, padding before: height, width"),
            ([layer.low, layer.high], "bounds"),
        ],
    )
    kernel = f"pool_{layer.mode}"
    return LayerCode(
        ["requantize", "window", kernel], [struct], f"{kernel}(&{layer.name}_layer, {{0}}, {{out}})"
    )


def _mean(layer: Mean) -> LayerCode:
    struct = ctext.structure(
        "mean_t",
        f"{layer.name}_layer",
        [
            ([layer.outer, layer.count, layer.inner], "outer, count, inner"),
            ([layer.input_zero_point, layer.output_zero_point], "zero points of input, output"),
            ([layer.multiplier.mantissa, layer.multiplier.shift], "multiplier, shift"),
        ],
    )
    return LayerCode(["requantize", "average"], [struct], f"average(&{layer.name}_layer, {{0}}, {{out}})")


def _addition(layer: Addition) -> LayerCode:
    (first, second), (output,) = layer.multipliers, layer.requantization.multipliers
    requantization = layer.requantization
    struct = ctext.structure(
        "addition_t",
        f"{layer.name}_layer",
        [
            ([layer.output.size], "size"),
            ([layer.zero_points[0], first.mantissa, first.shift], "first: zero point, multiplier, shift"),
            ([layer.zero_points[1], second.mantissa, second.shift], "second"),
            ([requantization.zero_point, output.mantissa, output.shift], "output"),
            ([requantization.low, requantization.high], "bounds"),
        ],
    )
    return LayerCode(["requantize", "add"], [struct], f"add(&{layer.name}_layer, {{0}}, {{1}}, {{out}})")


def _rescaling_name(layer: Rescaling) -> tuple[str, str, str]:
    source, target = layer.inputs[0].ctype, layer.output.ctype
    suffix = "_from_uint8" if source == "uint8_t" else "_to_uint8" if target == "uint8_t" else ""
    return f"rescale{suffix}", source, target


def _rescaling(layer: Rescaling) -> LayerCode:
    requantization = layer.requantization
    (multiplier,) = requantization.multipliers
    struct = ctext.structure(
        "rescaling_t",
        f"{layer.name}_layer",
        [
            ([layer.output.size, layer.input_zero_point], "size, zero point of input"),
            ([multiplier.mantissa, multiplier.shift], "multiplier, shift"),
            (
                [requantization.zero_point, requantization.low, requantization.high],
                "zero point of output, bounds",
            ),
        ],
    )
    name = _rescaling_name(layer)[0]
    return LayerCode(["requantize", "rescale"], [struct], f"{name}(&{layer.name}_layer, {{0}}, {{out}})")


def _edge(layer: Quantization | Dequantization) -> LayerCode:
    kernel = "quantize" if isinstance(layer, Quantization) else "dequantize"
    upper = layer.name.upper()
    macros = [
        ctext.macro(f"{upper}_SCALE", ctext.single(layer.scale)),
        ctext.macro(f"{upper}_ZERO_POINT", layer.zero_point),
    ]
    call = f"{kernel}({{0}}, {{out}}, {layer.output.size}, {upper}_SCALE, {upper}_ZERO_POINT)"
    return LayerCode(["requantize", kernel], ["\n".join(macros)], call)


def _copy(layer: Copy) -> LayerCode:
    return LayerCode(["copy"], [], f"copy({{0}}, {{out}}, {layer.output.size})")


EMITTERS = {
    Convolution: _convolution,
    DepthwiseConvolution: _depthwise,
    Pooling: _pooling,
    Mean: _mean,
    Addition: _addition,
    Rescaling: _rescaling,
    Quantization: _edge,
    Dequantization: _edge,
    Copy: _copy,
}


def emit(network: Network) -> Emitted:
    codes = [EMITTERS[type(layer)](layer) for layer in network.layers]
    plan = plan_memory(network.layers, [code.scratch_bytes for code in codes])
    constants = [
        ctext.array("int8_t", buffer.name, buffer.data)
        for buffer in {id(b): b for layer in network.layers for b in layer.inputs}.values()
        if buffer.place == "constant"
    ]
    calls = []
    for layer, code in zip(network.layers, codes, strict=True):
        constants.append(f"/* {layer.name}: {layer.shapes} */")
        constants.extend(code.constants)
        places = [_place(buffer, plan) for buffer in layer.inputs]
        calls.append(f"/* {layer.name}: {layer.shapes} */")
        scratch = f"memory + {plan.scratch[id(layer)].offset}" if code.scratch_bytes else ""
        calls.append(code.call.format(*places, out=_place(layer.output, plan), scratch=scratch) + ";")
    used = {kernel for code in codes for kernel in code.kernels}
    return Emitted(
        network,
        plan,
        [kernel for kernel in KERNELS if kernel in used],
        constants,
        calls,
        sorted({_rescaling_name(layer) for layer in network.layers if isinstance(layer, Rescaling)}),
    )


def _place(buffer: Buffer, plan: MemoryPlan) -> str:
    if buffer.place == "memory":
        return f"memory + {plan.buffers[id(buffer)].offset}"
    return buffer.name if buffer.place == "constant" else buffer.place


@cache
def environment() -> jinja2.Environment:
    """Templates of the package, for text that is not HTML, strict about names."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tinystride.codegen", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(template: str, **values) -> str:
    return environment().get_template(f"templates/{template}").render(**values)
