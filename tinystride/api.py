"""The public interface: read a recording, estimate its strides, look at them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tinystride.datasets.recording import Recording
from tinystride.engines import ENGINES, Engine
from tinystride.errors import ModelError
from tinystride.files import write_text
from tinystride.validation import one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Walk:
    """The recordings of one walk, one for each foot that has a sensor.

    Attributes:
        recordings: in the order of the files
        assumed: columns, units, rate and clock that the reader found by itself, in words; "" if all was given
    """

    recordings: tuple[Recording, ...]
    assumed: str = ""

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    def __len__(self) -> int:
        return len(self.recordings)

    @property
    def feet(self) -> tuple[str, ...]:
        """Foot of each recording, "left" or "right"."""
        return tuple(recording.foot for recording in self.recordings)

    @property
    def duration_s(self) -> float:
        """Duration of the longest recording, s."""
        return max((recording.duration_s for recording in self.recordings), default=0.0)


@dataclass(frozen=True, eq=False)
class Result:
    """The strides of a walk.

    Attributes:
        recordings: the recordings that were estimated
        strides: one row per stride, columns as in docs/parameters.md. The columns `flags` and `quality` hold
            the same; only the second can be read as an attribute, because pandas has a `flags` of its own.
    """

    recordings: tuple[Recording, ...]
    strides: pd.DataFrame

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Counts, distance, walking bouts and mean parameters of steady strides, see `summary.summarise`."""
        from tinystride.results import recording_name
        from tinystride.summary import summarise

        return summarise(self.strides, [recording_name(recording) for recording in self.recordings])

    def plot(self, path: Path | str | None = None) -> "Figure":
        """Draw the walk from above and from the side, with lengths and flags over time.

        Args:
            path: PNG file to write; None: no file

        Returns:
            The Matplotlib figure.

        Raises:
            ParameterError: if the file does not end in .png
            MissingExtraError: without the extra `plot`
        """
        from tinystride.walk_plot import draw_walk, save_png

        figure = draw_walk(self.recordings, self.strides)
        if path is not None:
            save_png(figure, path)
        return figure

    def to_csv(self, path: Path | str | None = None) -> str:
        """Return the table of strides as csv text, the same that `tinystride predict` writes.

        Args:
            path: file to write as well; None: no file
        """
        from tinystride.results import result_csv

        text = result_csv(self.strides)
        if path is not None:
            write_text(Path(path), text)
        return text


def read(*paths: Path | str, **options: Any) -> Walk:
    """Read the recordings of one or more files: both feet of a walk, or one foot.

    Args:
        *paths: files of one walk
        **options: rate_hz, foot, columns, time_column, time_unit, acc_unit, gyr_unit, acc_scale, gyr_scale,
            as for `tinystride predict`; an option that is not given is found in the file if it is unambiguous
            (docs/recordings.md)

    Returns:
        The walk, with all that the reader assumed.

    Raises:
        DataError: if a file cannot be read
        ParameterError: if an option does not fit the file
    """
    from tinystride.reading import ReadingOptions, read_recordings

    recordings = tuple(read_recordings([Path(path) for path in paths], ReadingOptions(**options)))
    assumed = "; ".join(dict.fromkeys(note for recording in recordings for note in recording.notes))
    return Walk(recordings, assumed)


def estimate(
    walk: Walk | Recording | Iterable[Recording],
    *,
    model: Path | str | None = None,
    engine: Engine = "offline",
) -> Result:
    """Estimate the strides of a walk: lengths, flags and gait parameters.

    Args:
        walk: a walk, one recording, or several recordings of one walk
        model: int8 or float32 .tflite of this project; None: the one that is part of the package
        engine: "offline" uses the recording as a whole; "c" runs the C library sample by sample and needs a C
            compiler; "python" runs its twin in Python. All give the same columns.

    Returns:
        The strides with the recordings that they come from.

    Raises:
        DataError: if a recording has no stride
        ModelError: if the model file is missing or does not fit the engine
        ParameterError: if the engine is unknown
    """
    recordings = (walk,) if isinstance(walk, Recording) else tuple(walk)
    run = estimator(model, engine)
    from tinystride.results import complete_table

    return Result(recordings, complete_table(recordings, [run(recording) for recording in recordings]))


def estimator(model: Path | str | None, engine: Engine) -> "Any":
    """Load a model once and return a function that estimates the strides of many recordings.

    Args:
        model: as in `estimate`
        engine: as in `estimate`

    Returns:
        A function of a Recording that returns its table of strides (`predict.COLUMNS`).

    Raises:
        ModelError: if the model file is missing or does not fit the engine
        ParameterError: if the engine is unknown
    """
    from tinystride.predict import predict_strides, stream_strides

    path = Path(model) if model is not None else default_model()
    one_of(ENGINES).check("engine", engine)
    if not path.is_file():
        raise ModelError(f"{path}: file not found; name a .tflite of this project")
    if engine == "offline":
        from tinystride.learning.prediction import Network

        network = Network.load(path)
        return lambda recording: predict_strides(recording, network)
    streaming: Any
    if engine == "c":
        from tinystride.streaming.native import NativeEstimator

        streaming = NativeEstimator(path)
    else:
        from tinystride.streaming.twin import TwinEstimator

        streaming = TwinEstimator(path)
    return lambda recording: stream_strides(recording, streaming)


def default_model() -> Path:
    """Return the path of the int8 network that is part of the package."""
    from tinystride.default_model import DEFAULT_MODEL

    return DEFAULT_MODEL
