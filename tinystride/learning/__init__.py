"""From strides to networks: features, augmentation, architectures, training, quantization."""

import os

# The library prints nothing, but TensorFlow, once imported, tells on stderr what it was built for.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
