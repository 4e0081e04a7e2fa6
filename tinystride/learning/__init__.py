"""Train networks on strides: features, augmentation, architectures, training, quantization."""

import os

# The library prints nothing; TensorFlow would print its build options on stderr when imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
