"""From recordings to the int8 network and its predictions, for an emulated processor: `chain.py FOLDER`.

Prints {file: SHA-256} of all that the steps leave, as JSON. The steps are those of the stages, with fewer
people, epochs and strides.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import Recording
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.files import sha256, write_bytes, write_json
from tinystride.gait.strides import GaitOptions, gather_strides, write_strides
from tinystride.learning.cross_validation import cross_validate
from tinystride.learning.estimators import choose

FOOT_OF_SUBJECT = {"A": "left", "B": "right", "C": "left"}


def recordings() -> list[Recording]:
    walks = []
    for number, (name, foot) in enumerate(FOOT_OF_SUBJECT.items()):
        subject, sensor = SimulatedSubject(name), VirtualSensor.draw(np.random.default_rng(number))
        walks.append(simulate_walk(subject, foot=foot, seed=number, sensor=sensor, trial="1"))
    return walks


def main(folder: Path) -> None:
    strides = gather_strides(recordings(), GaitOptions(), progress=False)
    write_strides(strides, folder / "strides")
    part = {"train": ["simulated/A"], "validation": ["simulated/B"], "test": ["simulated/C"]}
    settings = choose(
        "strapdown-residual", epochs=2, augmentations_per_stride=1, filters=[3, 2], batch_size=32
    )
    fold = cross_validate(strides.table, strides.signals, part, settings, seed=1, calibration_strides=20)
    fold.training.model.save(folder / "float32")
    write_bytes(folder / "stride_float32.tflite", fold.quantized.float32)
    write_bytes(folder / "stride_int8.tflite", fold.quantized.int8)
    write_json(folder / "epochs.json", [vars(epoch) for epoch in fold.training.epochs])
    write_json(folder / "difference.json", fold.quantized.difference)
    fold.predictions.to_csv(folder / "predictions.csv", index=False, float_format="%.4f")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    print(json.dumps({path.relative_to(folder).as_posix(): sha256(path) for path in files}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
