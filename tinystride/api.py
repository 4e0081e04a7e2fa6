"""The library's face: read a recording, estimate its strides, look at them."""

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
    """The recordings of one walk, one for each foot that wore a sensor.

    assumed: what the reader found out by itself (columns, units, rate, clock), in words; "" if nothing
    """

    recordings: tuple[Recording, ...]
    assumed: str = ""

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    def __len__(self) -> int:
        return len(self.recordings)

    @property
    def feet(self) -> tuple[str, ...]:
        return tuple(recording.foot for recording in self.recordings)

    @property
    def duration_s(self) -> float:
        """Of the longest recording."""
        return max((recording.duration_s for recording in self.recordings), default=0.0)


@dataclass(frozen=True, eq=False)
class Result:
    """The strides of a walk.

    strides: one row per stride, columns as in docs/parameters.md; of `flags` and `quality`, which hold the
        same, the second can be read as an attribute, too (pandas has a `flags` of its own)
    """

    recordings: tuple[Recording, ...]
    strides: pd.DataFrame

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Counts, distance, walking bouts and parameters over steady strides: summary.summarise."""
        from tinystride.results import recording_name
        from tinystride.summary import summarise

        return summarise(self.strides, [recording_name(recording) for recording in self.recordings])

    def plot(self, path: Path | str | None = None) -> "Figure":
        """The walk from above and from the side, lengths and flags over time; written to `path` (PNG) if
        given.

        Raises ParameterError for another suffix, TinyStrideError without the extra `plot`.
        """
        from tinystride.walk_figure import draw_walk, save_png

        figure = draw_walk(self.recordings, self.strides)
        if path is not None:
            save_png(figure, path)
        return figure

    def to_csv(self, path: Path | str | None = None) -> str:
        """The table as csv text, as `tinystride predict` writes it; also written to `path` if given."""
        from tinystride.results import result_csv

        text = result_csv(self.strides)
        if path is not None:
            write_text(Path(path), text)
        return text


def read(*paths: Path | str, **options: Any) -> Walk:
    """The recordings of one or more files: both feet of a walk, or one foot.

    options: as of `tinystride predict`: rate_hz, foot, columns, time_column, time_unit, acc_unit,
        gyr_unit, acc_scale, gyr_scale; what is not given is found where it is unambiguous
        (docs/recordings.md)

    Raises DataError for a file that cannot be read, ParameterError for an option that does not fit.
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
    """The strides of a walk with their lengths, flags and gait parameters.

    model: an int8 or float32 .tflite of this project; None: the one that comes with the package
    engine: "offline" looks at the recording as a whole; "c" runs the C library, sample by sample, which
        needs a C compiler; "python" is its copy in Python. All give the same columns.

    Raises DataError for a recording without a stride, ModelError for a model that does not fit the engine.
    """
    recordings = (walk,) if isinstance(walk, Recording) else tuple(walk)
    run = estimator(model, engine)
    from tinystride.results import complete_table

    return Result(recordings, complete_table(recordings, [run(recording) for recording in recordings]))


def estimator(model: Path | str | None, engine: Engine) -> "Any":
    """A function that takes a Recording to its table of strides (`predict.COLUMNS`), loaded once for many."""
    from tinystride.predict import predict_strides, stream_strides

    path = Path(model) if model is not None else default_model()
    one_of(ENGINES).check("engine", engine)
    if not path.is_file():
        raise ModelError(f"{path}: is not there; name a .tflite of this project")
    if engine == "offline":
        from tinystride.learning.prediction import Network

        network = Network.load(path)
        return lambda recording: predict_strides(recording, network)
    streaming: Any
    if engine == "c":
        from tinystride.streaming.native import NativeEstimator

        streaming = NativeEstimator(path)
    else:
        from tinystride.streaming.reference import ReferenceEstimator

        streaming = ReferenceEstimator(path)
    return lambda recording: stream_strides(recording, streaming)


def default_model() -> Path:
    """The int8 network that comes with the package."""
    from tinystride.default_model import DEFAULT_MODEL

    return DEFAULT_MODEL
