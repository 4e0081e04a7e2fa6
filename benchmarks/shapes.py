"""Networks of published shapes with random weights; the cost of a kernel depends on shapes only."""

from tests.codegen.tflite_builder import Builder

SPREAD = 20  # of the weights; as in trained networks, no sum overflows


def published() -> bytes:
    """Stride length: three convolutions along time with pooling, two dense layers."""
    b = Builder(30)
    x = b.input((1, 1, 108, 6))
    for filters, kernel in ((32, 5), (16, 5), (32, 15)):
        x = b.conv(x, filters, (1, kernel), spread=SPREAD)
        x = b.pool(x, "MAX", (1, 2), (1, 2), "SAME")
    return b.bytes(b.dense(b.dense(b.flatten(x), 128, "RELU", spread=SPREAD), 1, spread=SPREAD))


def activity() -> bytes:
    """Activity recognition from six axes over 128 samples: two convolutions along time, two dense layers."""
    b = Builder(31)
    x = b.input((1, 1, 128, 6))
    for filters, kernel in ((32, 5), (64, 5)):
        x = b.conv(x, filters, (1, kernel), spread=SPREAD)
        x = b.pool(x, "MAX", (1, 2), (1, 2), "SAME")
    return b.bytes(b.dense(b.dense(b.flatten(x), 32, "RELU", spread=SPREAD), 6, spread=SPREAD))


def keyword_spotting() -> bytes:
    """The depthwise-separable network of MLPerf Tiny, up to its softmax."""
    b = Builder(32)
    x = b.conv(b.input((1, 49, 10, 1), zero_point=83), 64, (10, 4), (2, 2))
    for _ in range(4):
        x = b.conv(b.depthwise(x, 1, (3, 3), activation="RELU"), 64, (1, 1))
    x = b.pool(x, "AVERAGE", (25, 5), (25, 5))
    return b.bytes(b.dense(b.flatten(x), 12))


def resnet8() -> bytes:
    """The residual network of MLPerf Tiny, up to its softmax."""
    b = Builder(33)
    x = b.conv(b.input((1, 32, 32, 3), zero_point=-128), 16, (3, 3))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = b.conv(x, filters, (3, 3), (stride, stride))
        y = b.conv(y, filters, (3, 3), activation="NONE")
        if stride > 1:
            x = b.conv(x, filters, (1, 1), (stride, stride), activation="NONE")
        x = b.add(y, x, "RELU")
    x = b.pool(x, "AVERAGE", (8, 8), (8, 8))
    return b.bytes(b.dense(b.flatten(x), 10))


def person_detection() -> bytes:
    """MobileNet of a quarter of the width on 96 x 96 grey pixels, up to its softmax."""
    b = Builder(34)
    x = b.depthwise(b.input((1, 96, 96, 1), zero_point=-1), 8, (3, 3), (2, 2))
    blocks = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]
    for filters, stride in blocks:
        x = b.depthwise(x, 1, (3, 3), (stride, stride))
        x = b.conv(x, filters, (1, 1), activation="RELU6")
    x = b.pool(x, "AVERAGE", (3, 3), (2, 2))
    return b.bytes(b.flatten(b.conv(x, 2, (1, 1), activation="NONE")))


def wake_word() -> bytes:
    """The convolutions of the streaming wake word of MLPerf Tiny, without the state between calls."""
    b = Builder(35)
    x = b.input((1, 30, 1, 40), zero_point=-128)
    for taps, filters in ((3, 128), (5, 128), (10, 128), (15, 32)):
        x = b.depthwise(x, 1, (taps, 1), padding="VALID", activation="NONE")
        x = b.conv(x, filters, (1, 1))
    return b.bytes(b.dense(b.flatten(x), 3))


def autoencoder() -> bytes:
    """The dense network for anomaly detection of MLPerf Tiny."""
    b = Builder(36)
    x = b.input((1, 640), zero_point=89)
    for outputs in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = b.dense(x, outputs, "RELU", spread=SPREAD)
    return b.bytes(b.dense(x, 640, spread=SPREAD))


SHAPES = {
    "published": published,
    "activity": activity,
    "keyword spotting": keyword_spotting,
    "ResNet8": resnet8,
    "person detection": person_detection,
    "wake word": wake_word,
    "autoencoder": autoencoder,
}
