import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tinystride.datasets.loading import load_recordings
from tinystride.datasets.simulator import simulate_walk_with_truth
from tinystride.gait.events import find_strides
from tinystride.gait.foot_frame import find_foot_frame, to_foot_frame
from tinystride.gait.strapdown import resample
from tinystride.gait.strides import gather_strides

MOUNTINGS = [np.eye(3), np.diag([1.0, -1.0, -1.0]), *Rotation.random(4, random_state=1).as_matrix()]


@pytest.mark.parametrize("mounting", MOUNTINGS)
@pytest.mark.parametrize("foot", ["left", "right"])
def test_find_foot_frame_any_mounting_gives_the_axes_of_the_foot(person, foot, mounting):
    recording, truth = simulate_walk_with_truth(person, foot=foot, rate_hz=100, seed=3)
    acc, gyr = recording.acc_mps2 @ mounting, recording.gyr_radps @ mounting
    rotation = find_foot_frame(acc, gyr, 100.0, find_strides(acc, gyr, 100.0))
    assert np.linalg.det(rotation) == pytest.approx(1)
    standing = 50
    foot_in_world = truth.rotation[standing] @ mounting @ rotation.T
    forward, up = foot_in_world[:, 0], foot_in_world[:, 2]
    heading = np.array([np.cos(truth.heading_rad[0]), np.sin(truth.heading_rad[0]), 0])
    assert np.rad2deg(np.arccos(up[2])) < 6
    assert np.rad2deg(np.arccos(forward @ heading)) < 12


def test_to_foot_frame_left_foot_is_mirrored():
    acc, gyr = np.array([[1.0, 2, 3]]), np.array([[4.0, 5, 6]])
    left_acc, left_gyr = to_foot_frame(np.eye(3), "left", acc, gyr)
    assert left_acc.tolist() == [[1, -2, 3]]
    assert left_gyr.tolist() == [[-4, 5, -6]]
    right_acc, right_gyr = to_foot_frame(np.eye(3), "right", acc, gyr)
    assert right_acc.tolist() == acc.tolist()
    assert right_gyr.tolist() == gyr.tolist()


def test_foot_frame_recorded_sets_have_similar_waveforms(raw_folder):
    """The mean pitch rates of three groups of people with different sensors and mountings nearly coincide."""
    recordings = [
        each
        for each in load_recordings(raw_folder, ["ipol-healthy", "llio-ruler", "tripod-excerpt"])
        if each.dataset != "ipol-healthy" or (each.trial == "2" and int(each.subject) < 12)
    ]
    strides = gather_strides(recordings)
    usable = strides.table[strides.table["usable"]]
    means = {}
    for name, group in usable.groupby(["dataset", "foot"]):
        acc, gyr, _ = resample(strides.signals.select(group["stride_id"]))
        means[name] = gyr.mean(axis=0)
        assert acc[:, 0].mean(axis=0) == pytest.approx([0, 0, 9.8], abs=0.5)
        assert gyr.mean(axis=0)[10:25, 1].max() > 4
        assert gyr.mean(axis=0)[30:45, 1].min() < -4
    assert len(means) == 5
    for one in means.values():
        for other in means.values():
            assert np.corrcoef(one[:, 1], other[:, 1])[0, 1] > 0.8
