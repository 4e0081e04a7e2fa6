from matplotlib.image import imread

from tinystride.gait.figures import waveform_figure
from tinystride.gait.strides import extract_strides, read_strides


def test_the_figure_is_the_same_every_time(walk, tmp_path):
    strides = extract_strides(walk[0])
    for name in ("one.png", "two.png"):
        waveform_figure(strides, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_row_for_each_data_set(strides_folder, walk, tmp_path):
    waveform_figure(extract_strides(walk[0]), tmp_path / "one.png")
    waveform_figure(read_strides(strides_folder), tmp_path / "three.png")
    one, three = imread(tmp_path / "one.png"), imread(tmp_path / "three.png")
    assert three.shape[1] == one.shape[1]
    assert three.shape[0] > 2 * one.shape[0]
