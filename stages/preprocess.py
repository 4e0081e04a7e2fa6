"""Cut the recordings into strides in the canonical foot frame, matched to their reference: data/strides."""

from stages.common import RAW, RESULTS, STRIDES, run_stage
from tinystride.datasets.loading import load_recordings
from tinystride.files import atomic_folder, write_json
from tinystride.gait.options import options_from
from tinystride.gait.plots import plot_waveforms
from tinystride.gait.strides import count_strides, gather_strides, write_strides


def main(parameters: dict) -> None:
    options = options_from(parameters["preprocess"])
    strides = gather_strides(load_recordings(RAW), options, progress=True)
    write_strides(strides, STRIDES)
    with atomic_folder(RESULTS / "preprocess") as folder:
        write_json(folder / "counts.json", count_strides(strides.table))
        plot_waveforms(strides, folder / "waveforms.png")


if __name__ == "__main__":
    run_stage("preprocess", main)
