"""From strides to networks: features, augmentation, architectures, training, quantization."""
