from matplotlib.image import imread

from tinystride.gait.plots import plot_waveforms
from tinystride.gait.strides import extract_strides, read_strides


def test_plot_waveforms_equal_strides_give_equal_bytes(walk, tmp_path):
    strides = extract_strides(walk[0])
    for name in ("one.png", "two.png"):
        plot_waveforms(strides, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_plot_waveforms_has_a_row_for_each_data_set(strides_folder, walk, tmp_path):
    plot_waveforms(extract_strides(walk[0]), tmp_path / "one.png")
    plot_waveforms(read_strides(strides_folder), tmp_path / "three.png")
    one, three = imread(tmp_path / "one.png"), imread(tmp_path / "three.png")
    assert three.shape[1] == one.shape[1]
    assert three.shape[0] > 2 * one.shape[0]
