# %% [markdown]
# # My own network to C
#
# From a Keras network for **another task** to C99 for a microcontroller, with its flash, RAM and
# instructions, in about a minute. The task here is to recognize hand gestures from one second of
# accelerometer samples.
#
# You need the extra packages `train` and `benchmark` (`pip install
# '/path/to/tinystride[train,benchmark]'`), a C compiler, and for the benchmark the Arm compiler and QEMU
# (Debian: `gcc gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm`). TinyStride only reads the
# `.tflite` file: any tool may have trained the network.

# %%
import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

tf.get_logger().setLevel("ERROR")
keras.utils.set_random_seed(1)


def run(*command: str) -> str:
    """Run a command and return what it prints; `tinystride` is the one of this Python."""
    if command[0] == "tinystride":
        command = (sys.executable, "-m", *command)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# %% [markdown]
# ## Data
#
# Replace this cell by your own labelled windows. These are **synthetic**: 50 samples of 3 axes in m/s²,
# gravity on the z axis, with a random speed, strength and start of each gesture. So the accuracy below says
# nothing about real hands.

# %%
GESTURES = ("still", "shake", "circle", "tap")
TIME_S = np.arange(50) / 50


def window(gesture: str, rng: np.random.Generator) -> np.ndarray:
    """Return one second of a gesture, [50, 3] in m/s²."""
    phase = 2 * np.pi * (rng.uniform(1.5, 3.0) * TIME_S + rng.uniform())
    strength = rng.uniform(3, 8)
    zero = np.zeros_like(TIME_S)
    motion = {
        "still": (zero, zero, zero),
        "shake": (strength * np.sin(2 * phase), zero, zero),
        "circle": (strength * np.cos(phase), strength * np.sin(phase), zero),
        "tap": (zero, zero, 2 * strength * np.exp(-(((TIME_S - rng.uniform(0.2, 0.8)) / 0.03) ** 2))),
    }[gesture]
    gravity = np.array([0, 0, 9.81])
    return np.stack(motion, axis=1) + gravity + rng.normal(0, 0.8, (50, 3))


def windows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n windows [n, 50, 3] and their labels [n]."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(GESTURES), size=n)
    return np.stack([window(GESTURES[label], rng) for label in labels]).astype(np.float32), labels


train_x, train_y = windows(2000, seed=1)
test_x, test_y = windows(500, seed=2)
print(f"{len(train_x)} windows to train with, {len(test_x)} to test with")

# %% [markdown]
# ## A small network
#
# Two convolutions over time, the mean over time, four outputs. Layers that TinyStride can export are listed
# in [Any int8 network to C](../export.md); a layer that is missing is refused with its name, never
# approximated.

# %%
network = keras.Sequential(
    [
        keras.Input((50, 3)),
        keras.layers.Conv1D(8, 5, strides=2, activation="relu"),
        keras.layers.Conv1D(16, 5, strides=2, activation="relu"),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(len(GESTURES), activation="softmax"),
    ]
)
network.compile("adam", "sparse_categorical_crossentropy")
network.fit(train_x, train_y, epochs=15, batch_size=32, verbose=0)
float_classes = network.predict(test_x, verbose=0).argmax(axis=1)
print(f"{network.count_params()} parameters")
print(f"float32: {np.mean(float_classes == test_y):.1%} of the test windows are right")

# %% [markdown]
# ## Convert to int8
#
# Two things matter here:
#
# - **A fixed batch of one**: a microcontroller processes one window at a time, and a free batch dimension
#   would add operators that compute shapes.
# - **Representative data**: the converter measures the range of every tensor on them to choose the int8
#   scales. Use recordings that contain what the sensor will see, also the extremes.

# %%
one_window = keras.Input((50, 3), batch_size=1)
converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(one_window, network(one_window)))
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([example[None]] for example in train_x[:200])
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
with contextlib.redirect_stdout(io.StringIO()):  # the converter describes the model, at length
    Path("gesture.tflite").write_bytes(converter.convert())

# The reference kernels: other kernels of this interpreter may round differently by one.
interpreter = Interpreter("gesture.tflite", experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
interpreter.allocate_tensors()
(input_details,), (output_details,) = interpreter.get_input_details(), interpreter.get_output_details()
scale, zero_point = input_details["quantization"]


def quantize(example: np.ndarray) -> np.ndarray:
    """Return a window as the int8 input of the network, [50, 3]."""
    return np.clip(np.round(example / scale + zero_point), -128, 127).astype(np.int8)


def int8_class(example: np.ndarray) -> int:
    """Return the class of a window, by the int8 network."""
    interpreter.set_tensor(input_details["index"], quantize(example)[None])
    interpreter.invoke()
    return int(interpreter.get_tensor(output_details["index"]).argmax())


int8_classes = np.array([int8_class(example) for example in test_x])
print(f"{Path('gesture.tflite').stat().st_size} bytes; int8: {np.mean(int8_classes == test_y):.1%} are right")

# %% [markdown]
# Compare both numbers: if int8 is much worse, the representative data do not cover the range of the inputs.
#
# ## Export to C
#
# The command line does the export: `tinystride export gesture.tflite c --prefix gesture`. It writes one
# header and one source file without dependencies. The prefix begins every public name, so several networks
# fit into one program.

# %%
run("tinystride", "export", "gesture.tflite", "c", "--prefix", "gesture")
header = Path("c/gesture.h").read_text()
print("files:", *sorted(path.name for path in Path("c").iterdir()))
print("\n".join(line for line in header.splitlines() if line.startswith(("#define GESTURE_", "int "))))

# %% [markdown]
# ## Call it
#
# A program on the host classifies the test windows. It reads them as int8, quantized as above with the
# scale and the zero point that also stand in the header. On a microcontroller only the source of the
# samples changes.

# %%
PROGRAM = """
#include "gesture.h"
#include <stdio.h>

int main(void)
{
    int value;
    int8_t input[GESTURE_INPUT_SIZE], output[GESTURE_OUTPUT_SIZE];
    for (;;) {
        for (int i = 0; i < GESTURE_INPUT_SIZE; i++) {
            if (scanf("%d", &value) != 1) return 0;
            input[i] = (int8_t)value;
        }
        gesture_run(input, output);
        int best = 0;
        for (int i = 1; i < GESTURE_OUTPUT_SIZE; i++) {
            if (output[i] > output[best]) best = i;
        }
        printf("%d\\n", best);
    }
}
"""
Path("main.c").write_text(PROGRAM)
run("cc", "-std=c99", "-O2", "-Ic", "main.c", "c/gesture.c", "-o", "classify")
samples = " ".join(str(value) for example in test_x for value in quantize(example).ravel())
printed = subprocess.run("./classify", input=samples, check=True, capture_output=True, text=True).stdout
c_classes = np.array([int(line) for line in printed.split()])
print("first windows:", ", ".join(GESTURES[number] for number in c_classes[:6]))
print(f"C and Python agree on {np.sum(c_classes == int8_classes)} of {len(test_x)} windows")

# %% [markdown]
# ## Measure what it costs
#
# `tinystride benchmark gesture.tflite --core cortex-m4f --json` builds the C for a Cortex-M4F and runs it
# in an emulator. It counts instructions exactly, and compares every output with TensorFlow Lite for
# Microcontrollers (TFLM), bit by bit. Instructions are not cycles: measure time on your board
# ([why](../export.md)).

# %%
metrics = json.loads(
    run("tinystride", "benchmark", "gesture.tflite", "--core", "cortex-m4f", "--vectors", "200", "--json")
)
for name in ("flash_bytes", "ram_bytes", "instructions", "vectors", "mismatches"):
    print(f"{name:14} {metrics[name]}")

# %% [markdown]
# - `flash_bytes`: code and constants, including the functions of the C library that it calls.
# - `ram_bytes`: static data and the stack of a call, working memory included.
# - `mismatches` must be 0: the C computes what TFLM computes. It is `None` where the package `tflite-micro`
#   does not exist (other systems than Linux on x86-64).
#
# To spend less flash, try `--optimize size`, fewer filters, or a smaller kernel, and compare the numbers
# again.
